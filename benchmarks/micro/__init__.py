"""Speed of the project itself, each thing beside a peer or plain numpy in the same run; see docs/speed.md."""
