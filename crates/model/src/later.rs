//! Dropping what takes long to drop.

use crate::Result;

/// Things that are dropped in the blink of an eye.
const FEW: usize = 4096;

/// Drops a value on a thread of its own. A tree of a million nodes takes tenths of a second to be freed, and a command that is
/// cancelled has to answer before that.
pub fn drop_later<T: Send + 'static>(value: T) {
    // Without a thread the value is dropped here: later than it should, but no harm is done.
    let _ = std::thread::Builder::new().name("facetta-drop".to_owned()).spawn(move || drop(value));
}

/// The items up to the first error; if there is one, those before it are dropped later where they are many.
///
/// # Errors
/// The first one of the items.
pub fn collect_or_drop_later<T: Send + 'static>(items: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(items.size_hint().0);
    for item in items {
        match item {
            Ok(item) => all.push(item),
            Err(error) => {
                if all.len() > FEW {
                    drop_later(all);
                }
                return Err(error);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelReason, ErrorKind};
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    #[test]
    fn what_comes_before_an_error_is_dropped_elsewhere() {
        struct Tells(mpsc::Sender<std::thread::ThreadId>);
        impl Drop for Tells {
            fn drop(&mut self) {
                let _ = self.0.send(std::thread::current().id());
            }
        }
        let (sender, receiver) = mpsc::channel();
        let many = (0..=FEW).map(|_| Ok(Arc::new(Tells(sender.clone()))));
        let result = collect_or_drop_later(many.chain([Err(CancelReason::Cancel.error())]));
        assert_eq!(result.err().map(|e| e.kind()), Some(ErrorKind::Cancelled));
        let dropped_on = receiver.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_ne!(dropped_on, std::thread::current().id());
    }
}
