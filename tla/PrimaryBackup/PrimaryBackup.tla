--------------------------- MODULE PrimaryBackup ----------------------------
(***************************************************************************)
(* A register on two nodes.  The primary numbers its requests, sends the   *)
(* register after each to the backup, and answers what the backup has      *)
(* confirmed.  The backup may take over at any time, and confirms nothing  *)
(* from then on: so there is nothing that one node would have to know of   *)
(* the other's being up or down.  One of the nodes may crash, for good.    *)
(*                                                                         *)
(* Messages are never consumed: one is read any number of times, late, or  *)
(* never.  Each client makes two requests, the second after the answer to  *)
(* the first.  A client of the primary puts itself and then gets; a client *)
(* of the backup gets and then puts itself.                                *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    PrimaryClient,  \* the clients that ask the primary
    BackupClient,   \* the clients that ask the backup
    None            \* the value before the first put

VARIABLES
    primary,        \* the primary: its mode, and what it remembers
    backup,         \* the backup: the same
    msgs,           \* every message ever sent
    asked,          \* asked[c]: how many requests client c has made
    answers,        \* answers[c]: what client c was answered, in order
    answered        \* the number of the last request the primary answered

vars == <<primary, backup, msgs, asked, answers, answered>>

Client == PrimaryClient \cup BackupClient

\* Every client makes so many requests.
RequestsMax == 2

Number == 0 .. RequestsMax * Cardinality(PrimaryClient)

Value  == Client \cup {None}
Stored == "stored"
Answer == Value \cup {Stored}

Copy(n, v) == [type |-> "Copy", number |-> n, value |-> v]
Confirm(n) == [type |-> "Confirm", number |-> n]

Down == [mode |-> "down"]

Turn == [number : Number, client : PrimaryClient, answer : Answer]

Range(seq) == {seq[i] : i \in DOMAIN seq}

TypeOK ==
    /\ \/ primary = Down
       \/ /\ DOMAIN primary = {"mode", "number", "value", "unconfirmed"}
          /\ primary.mode = "primary"
          /\ primary.number \in Number
          /\ primary.value \in Value
          /\ Range(primary.unconfirmed) \subseteq Turn
    /\ \/ backup = Down
       \/ /\ DOMAIN backup = {"mode", "number", "value", "held"}
          /\ backup.mode = "backup"
          /\ backup.number \in Number
          /\ backup.value \in Value
          /\ Range(backup.held) \subseteq BackupClient
       \/ /\ DOMAIN backup = {"mode", "number", "value"}
          /\ backup.mode = "successor"
          /\ backup.number \in Number
          /\ backup.value \in Value
    /\ asked \in [Client -> 0..RequestsMax]
    /\ \A c \in Client : Range(answers[c]) \subseteq Answer
    /\ \A c \in Client : Len(answers[c]) \in {asked[c] - 1, asked[c]}
    /\ answered \in Number

Init ==
    /\ primary = [mode |-> "primary", number |-> 0, value |-> None,
                  unconfirmed |-> <<>>]
    /\ backup = [mode |-> "backup", number |-> 0, value |-> None,
                 held |-> <<>>]
    /\ msgs = {}
    /\ asked = [c \in Client |-> 0]
    /\ answers = [c \in Client |-> <<>>]
    /\ answered = 0

-----------------------------------------------------------------------------
(* Clients. *)

MayAsk(c) == asked[c] < RequestsMax /\ Len(answers[c]) = asked[c]

\* Whether the next request of a client is a put.
Puts(c) == IF c \in PrimaryClient THEN asked[c] = 0 ELSE asked[c] = 1

\* The value after the next request of a client, and the answer to it.
ValueAfter(c, value)  == IF Puts(c) THEN c ELSE value
AnswerAfter(c, value) == IF Puts(c) THEN Stored ELSE value

-----------------------------------------------------------------------------
(* The primary. *)

\* It carries out a request and asks the backup to confirm it.
AskPrimary(c) ==
    /\ primary.mode = "primary"
    /\ MayAsk(c)
    /\ LET n == primary.number + 1
           v == ValueAfter(c, primary.value)
           turn == [number |-> n, client |-> c,
                    answer |-> AnswerAfter(c, primary.value)]
       IN  /\ primary' = [primary EXCEPT !.number = n, !.value = v,
                                         !.unconfirmed = Append(@, turn)]
           /\ msgs' = msgs \cup {Copy(n, v)}
    /\ asked' = [asked EXCEPT ![c] = @ + 1]
    /\ UNCHANGED <<backup, answers, answered>>

\* A confirmation stands for all earlier ones.
GetConfirm(n) ==
    /\ primary.mode = "primary"
    /\ Confirm(n) \in msgs
    /\ LET IsConfirmed(turn) == turn.number <= n
           IsOpen(turn) == turn.number > n
           confirmed == SelectSeq(primary.unconfirmed, IsConfirmed)
           Of(c) == {turn \in Range(confirmed) : turn.client = c}
       IN  /\ primary' = [primary EXCEPT
                            !.unconfirmed = SelectSeq(@, IsOpen)]
           \* A client waits for one answer at a time.
           /\ answers' = [c \in Client |->
                            IF Of(c) = {} THEN answers[c]
                            ELSE Append(answers[c],
                                        (CHOOSE turn \in Of(c) : TRUE).answer)]
           /\ answered' = IF confirmed = <<>> THEN answered
                          ELSE confirmed[Len(confirmed)].number
    /\ UNCHANGED <<backup, msgs, asked>>

-----------------------------------------------------------------------------
(* The backup. *)

\* It keeps the latest copy; an earlier one is confirmed all the same.
GetCopy(n) ==
    /\ backup.mode = "backup"
    /\ \E m \in msgs :
        /\ m.type = "Copy"
        /\ m.number = n
        /\ backup' = IF n <= backup.number THEN backup
                     ELSE [backup EXCEPT !.number = n, !.value = m.value]
    /\ msgs' = msgs \cup {Confirm(n)}
    /\ UNCHANGED <<primary, asked, answers, answered>>

\* Before it takes over it answers nobody.
AskBackup(c) ==
    /\ MayAsk(c)
    /\ \/ /\ backup.mode = "backup"
          /\ backup' = [backup EXCEPT !.held = Append(@, c)]
          /\ UNCHANGED answers
       \/ /\ backup.mode = "successor"
          /\ backup' = [backup EXCEPT !.value = ValueAfter(c, @)]
          /\ answers' = [answers EXCEPT
                            ![c] = Append(@, AnswerAfter(c, backup.value))]
    /\ asked' = [asked EXCEPT ![c] = @ + 1]
    /\ UNCHANGED <<primary, msgs, answered>>

\* What it holds are the first requests of its clients, which are gets.
TakeOver ==
    /\ backup.mode = "backup"
    /\ backup' = [mode |-> "successor", number |-> backup.number,
                  value |-> backup.value]
    /\ answers' = [c \in Client |->
                    IF c \in Range(backup.held)
                    THEN Append(answers[c], backup.value) ELSE answers[c]]
    /\ UNCHANGED <<primary, msgs, asked, answered>>

-----------------------------------------------------------------------------
(* One crash. *)

CrashPrimary ==
    /\ primary # Down
    /\ backup # Down
    /\ primary' = Down
    /\ UNCHANGED <<backup, msgs, asked, answers, answered>>

CrashBackup ==
    /\ primary # Down
    /\ backup # Down
    /\ backup' = Down
    /\ UNCHANGED <<primary, msgs, asked, answers, answered>>

-----------------------------------------------------------------------------

Next ==
    \/ \E c \in PrimaryClient : AskPrimary(c)
    \/ \E c \in BackupClient : AskBackup(c)
    \/ \E m \in msgs :
        \/ m.type = "Copy" /\ GetCopy(m.number)
        \/ m.type = "Confirm" /\ GetConfirm(m.number)
    \/ TakeOver
    \/ CrashPrimary
    \/ CrashBackup

Spec == Init /\ [][Next]_vars

\* The primary has answered nothing that the backup does not have, put or get:
\* so whatever it answers comes before the backup's taking over, in effect.
Durable == backup # Down => answered <= backup.number

\* Of equal numbers the registers are equal, until the backup goes on alone.
Agree ==
    /\ primary # Down
    /\ backup # Down
    /\ backup.mode = "backup"
    /\ primary.number = backup.number
    => primary.value = backup.value

-----------------------------------------------------------------------------
(* Behaviours as wholes. *)

\* A backup that can take over does so in the end, or crashes.
FairSpec == Spec /\ WF_vars(TakeOver)

\* Who asks the backup is answered, unless it crashes.
BackupAnswers ==
    \A c \in BackupClient :
        asked[c] > Len(answers[c])
            ~> asked[c] = Len(answers[c]) \/ backup = Down

\* An answer is never taken back.
Irrevocable ==
    [][\A c \in Client :
        /\ Len(answers'[c]) >= Len(answers[c])
        /\ SubSeq(answers'[c], 1, Len(answers[c])) = answers[c]]_vars

=============================================================================
