//! The storage protocols through the command: real TLC, real processes, and what is said of each of
//! their bugs.

use cadre_tests::Bench;
use expect_test::{Expect, expect};

/// Runs a command on a fresh bench and compares what it prints, the exit code last; of the
/// installation of TLC nothing is told.
fn check(args: &str, expected: Expect) {
    let ran = Bench::new(env!("CARGO_BIN_EXE_cadre-under-test")).run(args);
    let lines = ran.output.lines().filter(|line| !line.contains("installing"));
    let told: String = lines.map(|line| format!("{line}\n")).collect();
    expected.assert_eq(&format!("{told}exit {}\n", ran.code.unwrap_or(-1)));
}

#[test]
fn a_store_that_waits_for_its_disk_passes_every_stage() {
    check(
        "check disk-store",
        expect![[r#"
            checking disk-store · 3 writers
            explore  holds     5 745 distinct configurations, depth 9, T s at R /s, omission < 2e-24
            fuzz     bounded   256 random executions, 1 936 steps, seed 1
            record   done      3 free runs of real processes, N steps
            conform  conforms  1 004 traces against DiskStore, TLC 2.15, 1 run, T s
            replay   agrees    3 schedules, 24 steps on 1 real process
            PASS     every guarantee holds, traces conform, real processes agree (exit 0)
            exit 0
        "#]],
    );
}

#[test]
fn a_primary_that_waits_for_its_backup_passes_every_stage() {
    check(
        "check primary-backup",
        expect![[r#"
            checking primary-backup · 2 clients
            explore  holds     338 distinct configurations, depth 11, T s at R /s, omission < 8e-27
            fuzz     bounded   256 random executions, 1 379 steps, seed 1
            record   done      3 free runs of real processes, N steps
            conform  conforms  373 traces against PrimaryBackup, TLC 2.15, 1 run, T s
            replay   agrees    3 schedules, 30 steps on 2 real processes
            PASS     every guarantee holds, traces conform, real processes agree (exit 0)
            exit 0
        "#]],
    );
}

#[test]
fn a_put_acknowledged_before_its_sync_is_lost_in_a_power_loss() {
    check(
        "check disk-store --bug acknowledges-before-sync",
        expect![[r#"
            checking disk-store · 3 writers · bug acknowledges-before-sync
            explore  violated  24 distinct configurations, depth 2, T s at R /s, omission < 1e-29
            conform  rejected  1 of 1 trace against DiskStore, TLC 2.15, 2 runs, T s
                     counterexample: step 1, w1 asks store Put(key x, value 1): acknowledged is {w1}, the spec has {}
            replay   agrees    1 schedule, 2 steps on 1 real process

            violated  no acknowledged put is lost          shortest, 2 steps

             #  action                              store  changed
             1  w1 asks store Put(key x, value 1)    ▷●    store.syncing[0] none → {id {client 0, number 0}, key
                                                      :    x, value 1}, store.values.x none → 1,
                                                      :    store.unsynced +x=1 +sync, w1 gets Stored
             2  CRASH+RESTART store                   ✗↑   store.syncing[0] {id {client 0, number 0}, key x,
                                                      :    value 1} → none, store.values.x 1 → none,
                                                      :    store.unsynced -x=1 -sync

            because  at 2, store crashed and restarted as {syncing [], values {}, waiting []} with x=1 sync
                     not yet synced;
                     no acknowledged put is lost: x=1 was acknowledged, and store holds nothing there.

            saved    .cadre/traces/disk-store/no-acknowledged-put-is-lost-9ba638b5.ndjson
            replay   cadre replay .cadre/traces/disk-store/no-acknowledged-put-is-lost-9ba638b5.ndjson
            report   .cadre/runs/check-1/report.html
            FAIL     no acknowledged put is lost (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_put_answered_past_the_sync_is_lost_in_a_power_loss() {
    check(
        "explore disk-store --bug answers-past-the-sync",
        expect![[r#"
        exploring disk-store · 3 writers · bug answers-past-the-sync
        explore  violated  327 distinct configurations, depth 4, T s at R /s, omission < 3e-27

        violated  no acknowledged put is lost          shortest, 4 steps

         #  action                              store  changed
         1  w1 asks store Put(key x, value 1)    ▷*    store.syncing[0] none → {id {client 0, number 0}, key
                                                  :    x, value 1}, store.unsynced +x=1 +sync
         2  w2 asks store Put(key y, value 2)    ▷*    store.waiting[0] none → {id {client 1, number 0}, key
                                                  :    y, value 2}, store.unsynced +y=2
         3  store sync done                       ●    store.syncing[0] {id {client 0, number 0}, key x,
                                                  :    value 1} → none, store.values.x none → 1,
                                                  :    store.values.y none → 2,
                                                  :    … 6 changes in all
         4  CRASH+RESTART store                   ✗↑   store.values.y 2 → none, store.unsynced -y=2

        because  at 4, store crashed and restarted as {syncing [], values {x 1}, waiting []} with y=2
                 not yet synced;
                 no acknowledged put is lost: y=2 was acknowledged, and store holds nothing there.

        saved    .cadre/traces/disk-store/no-acknowledged-put-is-lost-cd7fb840.ndjson
        replay   cadre replay .cadre/traces/disk-store/no-acknowledged-put-is-lost-cd7fb840.ndjson
        FAIL     no acknowledged put is lost (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_value_read_before_its_sync_is_taken_back_by_a_power_loss() {
    check(
        "explore disk-store --bug reads-before-sync",
        expect![[r#"
        exploring disk-store · 3 writers · bug reads-before-sync
        explore  violated  351 distinct configurations, depth 4, T s at R /s, omission < 3e-27

        violated  what clients are answered is linearizable   shortest, 4 steps

         #  action                              store  changed
         1  w1 asks store Put(key x, value 1)    ▷*    store.syncing[0] none → {id {client 0, number 0}, key
                                                  :    x, value 1}, store.values.x none → 1,
                                                  :    store.unsynced +x=1 +sync
         2  reader asks store Get(key x)         ▷●    reader gets Value(1)
         3  CRASH+RESTART store                   ✗↑   store.syncing[0] {id {client 0, number 0}, key x,
                                                  :    value 1} → none, store.values.x 1 → none,
                                                  :    store.unsynced -x=1 -sync
         4  reader asks store Get(key x)         ▷●    reader gets Value(–)

        because  at 3, store crashed and restarted as {syncing [], values {}, waiting []} with x=1 sync
                 not yet synced;
                 what clients are answered is linearizable: after Put(key x, value 1) → ?, Get(key x) →
                 Value(1) there is no place for Get(key x) → Value(–).

        saved    .cadre/traces/disk-store/what-clients-are-answered-is-f5020c96.ndjson
        replay   cadre replay .cadre/traces/disk-store/what-clients-are-answered-is-f5020c96.ndjson
        FAIL     what clients are answered is linearizable (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_put_acknowledged_before_its_copy_is_lost_in_a_takeover() {
    check(
        "check primary-backup --bug acknowledges-before-copy",
        expect![[r#"
            checking primary-backup · 2 clients · bug acknowledges-before-copy
            explore  violated  17 distinct configurations, depth 2, T s at R /s, omission < 9e-30
            conform  rejected  1 of 1 trace against PrimaryBackup, TLC 2.15, 2 runs, T s
                     counterexample: step 2, c1 asks primary Put(1): answered is 1, the spec has 0; answers is (c1 :> <<"stored">> @@ c2 :> <<>>), the spec has (c1 :> <<>> @@ c2 :> <<>>); primary is [mode |-> "primary", number |-> 1, unconfirmed |-> <<>>, value |-> c1], the spec has [mode |-> "primary", number |-> 1, unconfirmed |-> <<[answer |-> "stored", client |-> c1, number |-> 1]>>, value |-> c1]
            replay   agrees    1 schedule, 2 steps on 2 real processes

            violated  no acknowledged put is lost            shortest, 2 steps

             #  action                    primary    backup  changed
             1  backup chooses TakeOver      :         *     backup.role backup → successor
             2  c1 asks primary Put(1)      ▷●         :     primary.number 0 → 1, primary.value – → 1,
                                             :         :     c1 gets Stored, +Copy(number 1, value 1)→backup

            because  at 1, backup set role to successor of its own accord (TakeOver);
                     at 2, primary, knowing nothing of backup, set number to 1 and set value to 1 when c1
                     asked Put(1);
                     no acknowledged put is lost: primary acknowledged 1, and backup, in charge, has
                     nothing.

            saved    .cadre/traces/primary-backup/no-acknowledged-put-is-lost-b74b5487.ndjson
            replay   cadre replay .cadre/traces/primary-backup/no-acknowledged-put-is-lost-b74b5487.ndjson
            report   .cadre/runs/check-1/report.html
            FAIL     no acknowledged put is lost (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_primary_that_reads_alone_answers_what_is_overwritten() {
    check(
        "explore primary-backup --bug reads-alone",
        expect![[r#"
            exploring primary-backup · 2 clients · bug reads-alone
            explore  violated  179 distinct configurations, depth 7, T s at R /s, omission < 2e-27

            violated  what clients are answered is linearizable               shortest, 7 steps

             #  action                                     primary    backup  changed
             1  c1 asks primary Put(1)                       ▷●         :     primary.number 0 → 1, primary.unc…
             2  deliver Copy(number 1, v… primary→backup      o─1──────▶●     backup.number 0 → 1, backup.value…
             3  deliver Confirm(number 1) backup→primary      ●◀──────2─o     primary.unconfirmed[0] {id {clien…
             4  backup chooses TakeOver                       :         *     backup.role backup → successor
             5  c2 asks backup Get                            :        ▷●     c2 gets Value(1)
             6  c2 asks backup Put(2)                         :        ▷●     backup.value 1 → 2, c2 gets Stored
             7  c1 asks primary Get                          ▷●         :     c1 gets Value(1)

            because  at 3, primary dropped unconfirmed[0] on Confirm(number 1), which backup sent at 2 on
                     Copy(number 1, value 1) from primary;
                     what clients are answered is linearizable: after Put(1) → Stored, Put(2) → Stored there
                     is no place for Get → Value(1).

            saved    .cadre/traces/primary-backup/what-clients-are-answered-is-a288d562.ndjson
            replay   cadre replay .cadre/traces/primary-backup/what-clients-are-answered-is-a288d562.ndjson
            FAIL     what clients are answered is linearizable (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_backup_that_confirms_after_its_takeover_loses_a_put() {
    check(
        "explore primary-backup --bug confirms-after-takeover",
        expect![[r#"
            exploring primary-backup · 2 clients · bug confirms-after-takeover
            explore  violated  65 distinct configurations, depth 4, T s at R /s, omission < 2e-28

            violated  no acknowledged put is lost                             shortest, 4 steps

             #  action                                     primary    backup  changed
             1  backup chooses TakeOver                       :         *     backup.role backup → successor
             2  c1 asks primary Put(1)                       ▷●         :     primary.number 0 → 1,
                                                              :         :     primary.unconfirmed[0] none → {id
                                                              :         :     {client 0, number 0}, number 1,
                                                              :         :     … 4 changes in all
             3  deliver Copy(number 1, value 1)               o─2──────▶●     +Confirm(number 1)→primary
                primary→backup                                :         :
             4  deliver Confirm(number 1) backup→primary      ●◀──────3─o     primary.unconfirmed[0] {id {client
                                                              :         :     0, number 0}, number 1, response
                                                              :         :     Stored} → none, c1 gets Stored

            because  at 1, backup set role to successor of its own accord (TakeOver);
                     at 4, primary dropped unconfirmed[0] on Confirm(number 1), which backup sent at 3 on
                     Copy(number 1, value 1) from primary;
                     no acknowledged put is lost: primary acknowledged 1, and backup, in charge, has
                     nothing.
            saved    .cadre/traces/primary-backup/no-acknowledged-put-is-lost-89c561a5.ndjson
            replay   cadre replay .cadre/traces/primary-backup/no-acknowledged-put-is-lost-89c561a5.ndjson
            FAIL     no acknowledged put is lost (exit 1)
            exit 1
        "#]],
    );
}
