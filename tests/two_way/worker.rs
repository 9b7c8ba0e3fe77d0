//! libhdf5 in a process of its own, which h5py drives: `tests/interop/two_way.py`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

#[derive(Debug)]
pub struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
}

impl Worker {
    /// `None` where there is no Python with h5py.
    pub fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/two_way.py");
        let mut child = Command::new(crate::support::python()?)
            .arg(script)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let requests = child.stdin.take().expect("a pipe");
        let answers = child.stdout.take().expect("a pipe");
        Some(Self {
            child,
            requests,
            answers,
        })
    }

    /// Sends lines of operations; gives the lines of what the file then holds, or what went wrong.
    pub fn ask(&mut self, lines: &str) -> Result<Vec<String>, String> {
        let mut talk = || {
            self.requests
                .write_all(&(lines.len() as u32).to_le_bytes())?;
            self.requests.write_all(lines.as_bytes())?;
            self.requests.flush()?;
            let mut len = [0; 4];
            self.answers.read_exact(&mut len)?;
            let mut answer = vec![0; u32::from_le_bytes(len) as usize];
            self.answers.read_exact(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = talk().map_err(|error: std::io::Error| format!("libhdf5 died: {error}"))?;
        match answer.strip_prefix("ok\n") {
            Some(rest) => Ok(rest.split('\n').map(str::to_string).collect()),
            None => Err(answer),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
