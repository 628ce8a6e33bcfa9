//! One process group for everything that the stack starts, and a guard in it.
//!
//! The guard is a shell that waits for the end of its input, which the kernel brings about whenever the stack's process
//! ends, even by SIGKILL. Then it removes the stack's temporary files and kills its group. A group of their own also keeps the terminal's Ctrl-C from the
//! instances: the stack ends them in order. (`PR_SET_PDEATHSIG` would need `unsafe`, is Linux only, and follows the
//! thread that forked, not the process.)

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub struct ProcessGroup {
    guard: Child,
    id: i32,
}

impl ProcessGroup {
    /// `files` is the directory that goes with the stack.
    pub fn start(files: &Path) -> io::Result<Self> {
        let guard = Command::new("/bin/sh")
            .args(["-c", "read -r _; /bin/rm -rf -- \"$0\"; kill -9 0"])
            .arg(files)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let id = i32::try_from(guard.id()).map_err(io::Error::other)?;
        Ok(Self { guard, id })
    }

    pub fn id(&self) -> i32 {
        self.id
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // It kills itself with its group, within milliseconds; not waited for, it would stay as a zombie.
        self.guard.wait().ok();
    }
}
