//! The local stack: the whole backend on one machine, from `template.yaml` and the functions' own binaries.
//!
//! `cargo dev` runs it on port 3000; tests start it as a library, on free ports, several at once:
//!
//! ```no_run
//! # async fn example() -> Result<(), local::StackError> {
//! use local::{Stack, StackOptions};
//!
//! let stack = Stack::start(StackOptions::default()).await?;
//! println!("{} as {}", stack.base_url(), stack.token("user"));
//! stack.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! | module | stands for |
//! | --- | --- |
//! | [`gateway`] | API Gateway's HTTP API |
//! | [`functions`] | Lambda: instances, Runtime API, limits |
//! | [`front`] | the way from a function to AWS, and IAM: counts calls, checks permissions, injects faults |
//! | [`dynamodb`], [`s3`], [`sqs`], [`secrets`] | the AWS services behind the front |
//! | [`sources`] | event source mappings and EventBridge's schedules |
//! | [`identity`] | the issuer of tokens |
//! | [`camera`] | the range camera |
//! | [`grpc_model`] | a planner's own model |
//! | [`terra`] | Terra, which sends webhooks |
//! | [`athlete`] | whoever wears the watch |
//! | [`template`] | what CloudFormation makes of `template.yaml` |

pub mod athlete;
pub mod camera;
pub mod demo;
pub mod dynamodb;
pub mod front;
pub mod functions;
pub mod gateway;
pub mod grpc_model;
pub mod http;
pub mod identity;
mod lock;
pub mod logs;
pub mod openapi;
mod options;
mod parts;
pub mod s3;
mod sdk;
pub mod secrets;
pub mod send_terra;
pub mod smoke;
pub mod sources;
pub mod sqs;
mod stack;
mod stack_file;
mod start;
pub mod start_page;
mod system;
pub mod template;
pub mod terra;

pub use functions::{Binaries, FunctionError, Invocation, InvokeError};
pub use options::StackOptions;
pub use parts::{Aws, StackError};
pub use sources::{FireError, Schedules};
pub use sqs::{Counts, SqsError};
pub use stack::Stack;
pub use stack_file::StackFile;

/// Where the stack pretends to be.
pub const REGION: &str = "us-east-1";
pub const ACCOUNT: &str = "000000000000";
pub const API_ID: &str = "local";
/// The name of the CloudFormation stack.
pub const STACK_NAME: &str = "local";
/// What every route's path begins with.
pub const BASE_PATH: &str = "/functions/v1";
