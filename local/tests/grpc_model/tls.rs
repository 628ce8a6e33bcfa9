//! The same over TLS, with a certificate that only the test trusts.

use std::sync::Arc;

use local::grpc_model::GrpcModel;
use prediction::RemoteModel;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use shared::Error;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::rig::{PATIENT, Rig};

/// Takes TLS connections, with or without HTTP/2, and hands on what they say. Gives its address and its certificate.
async fn before(server: &GrpcModel, protocols: &[&str]) -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
    let mut config = config.unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let behind = server.url().strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate ends the handshake.
                let Ok(mut plain) = acceptor.accept(socket).await else { return };
                let mut server = TcpStream::connect(behind).await.unwrap();
                copy_bidirectional(&mut plain, &mut server).await.ok();
            });
        }
    });
    (url, cert.pem())
}

#[tokio::test]
async fn a_trusted_certificate_is_enough_and_another_is_refused() {
    let mut rig = Rig::start().await;
    let (url, certificate) = before(&rig.server, &["h2"]).await;
    rig.model = RemoteModel::new(url.clone()).with_timing(PATIENT).trusting(certificate);
    assert_eq!(rig.predict().await.unwrap().rul, 3);
    rig.model.reachable().await.unwrap();
    assert_eq!(rig.server.asked().len(), 1);

    rig.model = RemoteModel::new(url).with_timing(PATIENT);
    let Err(Error::Unavailable { source: Some(source), .. }) = rig.predict().await else { panic!("it was trusted") };
    assert!(source.to_string().contains("certificate"), "{source}");
    assert_eq!(rig.server.asked().len(), 1);
}

#[tokio::test]
async fn a_server_without_http_2_is_no_model() {
    let mut rig = Rig::start().await;
    let (url, certificate) = before(&rig.server, &["http/1.1"]).await;
    rig.model = RemoteModel::new(url).with_timing(PATIENT).trusting(certificate);
    assert!(matches!(rig.predict().await, Err(Error::Unavailable { .. })));
    assert_eq!(rig.server.asked().len(), 0);
}
