use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Calls code of the user; a panic becomes its message, with its place in brackets behind it,
/// instead of unwinding or printing.
///
/// # Errors
///
/// Where the code panics.
pub fn guarded<R>(user: impl FnOnce() -> R) -> Result<R, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                let place = info.location().map_or(String::new(), |at| format!(" ({at})"));
                let message = info.payload_as_str().unwrap_or("a panic without a message");
                GUARD.set(Some(format!("{message}{place}")));
            } else {
                earlier(info);
            }
        }));
    });
    GUARDED.set(true);
    // The state that the user's code may have left half changed is a clone, and is dropped.
    let result = catch_unwind(AssertUnwindSafe(user));
    GUARDED.set(false);
    // Another hook may stand before this one, such as that of a test runner while it runs a case.
    result.map_err(|payload| GUARD.take().unwrap_or_else(|| message_of(payload.as_ref())))
}

thread_local! {
    /// While user code runs in a guard, what it panicked with, once it has.
    static GUARD: Cell<Option<String>> = const { Cell::new(None) };
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
