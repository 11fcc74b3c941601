---------------------------- MODULE MCTwoPhase ------------------------------
(* The bounded model: three resource managers, all of it explored. *)
EXTENDS TwoPhase

\* A claim that must fail.  A model that cannot reach a commit would satisfy
\* Consistent for the wrong reason; its counterexample is the proof that this
\* one can.
NobodyCommits == \A r \in RM : rmState[r] # "committed"

=============================================================================
