------------------------------ MODULE Greeting ------------------------------
(* Guests say hello to a host, who welcomes each of them. *)

CONSTANT Guest      \* the guests

VARIABLES
    met,            \* whom the host has met
    welcomed,       \* who knows to be welcome
    msgs            \* every message ever sent

vars == <<met, welcomed, msgs>>

Init ==
    /\ met = {}
    /\ welcomed = {}
    /\ msgs = {}

SayHello(g) ==
    /\ <<"hello", g>> \notin msgs
    /\ msgs' = msgs \cup {<<"hello", g>>}
    /\ UNCHANGED <<met, welcomed>>

\* The host gets a hello.
Meet(g) ==
    /\ <<"hello", g>> \in msgs
    /\ met' = met \cup {g}
    /\ msgs' = msgs \cup {<<"welcome", g>>}
    /\ UNCHANGED welcomed

\* A guest gets its welcome.
Hear(g) ==
    /\ <<"welcome", g>> \in msgs
    /\ welcomed' = welcomed \cup {g}
    /\ UNCHANGED <<met, msgs>>

Next == \E g \in Guest : SayHello(g) \/ Meet(g) \/ Hear(g)

Spec == Init /\ [][Next]_vars

\* Nobody is welcomed whom the host has not met.
Polite == welcomed \subseteq met

=============================================================================
