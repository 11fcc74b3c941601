"""Two-phase commit in Python threads, which knows nothing of Cadre.

Each node writes a log of its own, one line of JSON for each event, with a vector clock:

    python3 two_phase_commit.py DIRECTORY [--seed N] [--bug early-commit|late-abort]

The mapping beside this file says what the lines are in tla/TwoPhase.
"""

import argparse
import json
import pathlib
import queue
import random
import threading

MANAGERS = ["rm1", "rm2", "rm3"]
PATIENCE_SECONDS = 0.2


class Node(threading.Thread):
    """A node with a mailbox, a vector clock and a log."""

    def __init__(self, name, arguments):
        super().__init__()
        self.name = name
        self.bug = arguments.bug
        self.random = random.Random(f"{arguments.seed} {name}")
        self.mailbox = queue.Queue()
        self.clock = {}
        self.log = open(pathlib.Path(arguments.directory) / f"{name}.ndjson", "w")
        self.peers = {}

    def tell(self, event, **fields):
        """Counts an event of this node and writes it down."""
        self.clock[self.name] = self.clock.get(self.name, 0) + 1
        line = {"event": event, "node": self.name, "clock": dict(self.clock), **fields}
        self.log.write(json.dumps(line) + "\n")

    def send(self, to, message):
        self.peers[to].mailbox.put((self.name, message, dict(self.clock)))

    def receive(self, within=None):
        sender, message, clock = self.mailbox.get(timeout=within)
        for node, count in clock.items():
            self.clock[node] = max(self.clock.get(node, 0), count)
        return sender, message


class Manager(Node):
    """The transaction manager."""

    def run(self):
        prepared = set()
        quorum = 1 if self.bug == "early-commit" else len(MANAGERS)
        decision = "committed"
        while len(prepared) < quorum:
            try:
                sender, _ = self.receive(PATIENCE_SECONDS)
            except queue.Empty:
                decision = "aborted"
                break
            prepared.add(sender)
            self.tell("heard", sender=sender, prepared=sorted(prepared), decision="init")
        self.tell(f"decide {decision}", prepared=sorted(prepared), decision=decision)
        for name in MANAGERS:
            self.send(name, decision)
        self.log.close()


class ResourceManager(Node):
    """A resource manager."""

    def run(self):
        if self.random.random() < 0.1:
            self.tell("give up", state="ABORTED")
        else:
            self.tell("prepare", state="PREPARED")
            self.send("tm", "prepared")
            if self.bug == "late-abort" and self.name == "rm2":
                self.tell("give up", state="ABORTED")
        _, decision = self.receive()
        self.tell(f"obey {decision}", state=decision.upper())
        self.log.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", choices=["early-commit", "late-abort"])
    arguments = parser.parse_args()
    nodes = {name: ResourceManager(name, arguments) for name in MANAGERS}
    nodes["tm"] = Manager("tm", arguments)
    for node in nodes.values():
        node.peers = nodes
    for node in nodes.values():
        node.start()
    for node in nodes.values():
        node.join()


if __name__ == "__main__":
    main()
