use std::fmt::Write;

/// Two-phase commit in Promela: one process that picks any step that is enabled.
///
/// Each step is one `d_step`, so that only the states between steps are stored. The invariant is
/// asserted where a step may break it: after each change of a resource manager.
pub(crate) fn promela(participants: u32) -> String {
    let mut steps = String::new();
    for participant in 0..participants {
        let _ = write!(
            steps,
            "\
  :: d_step {{ (tm == UNDECIDED && is_prepared[{participant}]) -> heard[{participant}] = 1 }}
  :: d_step {{ (rm[{participant}] == WORKING) ->
       rm[{participant}] = PREPARED; is_prepared[{participant}] = 1 }}
  :: d_step {{ (rm[{participant}] == WORKING) -> rm[{participant}] = ABORTED; check() }}
  :: d_step {{ (is_committing) -> rm[{participant}] = COMMITTED; check() }}
  :: d_step {{ (is_aborting) -> rm[{participant}] = ABORTED; check() }}
"
        );
    }
    let all = |text: &str, glue: &str| {
        let parts: Vec<String> =
            (0..participants).map(|index| text.replace('#', &index.to_string())).collect();
        parts.join(glue)
    };
    format!(
        "\
#define WORKING 0
#define PREPARED 1
#define COMMITTED 2
#define ABORTED 3
#define UNDECIDED 0
byte rm[{participants}];
byte tm;
bit heard[{participants}];
bit is_prepared[{participants}];
bit is_committing, is_aborting;
inline check() {{
  assert(!(({some_committed}) && ({some_aborted})))
}}
active proctype system() {{
  do
  :: d_step {{ (tm == UNDECIDED && {all_heard}) -> tm = COMMITTED; is_committing = 1 }}
  :: d_step {{ (tm == UNDECIDED) -> tm = ABORTED; is_aborting = 1 }}
{steps}  od
}}
",
        some_committed = all("rm[#] == COMMITTED", " || "),
        some_aborted = all("rm[#] == ABORTED", " || "),
        all_heard = all("heard[#]", " && "),
    )
}
