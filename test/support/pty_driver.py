"""Runs a command on a pseudo-terminal as its session's leader, by a list of steps; prints what the
terminal showed and how the command ended, as JSON. Steps: ["expect", text], ["send", text],
["resize", rows, columns], ["stopped"] (wait until the command's group has stopped),
["continue"] (SIGCONT to the group)."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 30

request = json.loads(sys.argv[1])
pid, master = pty.fork()
if pid == 0:
    os.execvpe(request["command"][0], request["command"], request["env"])


def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(24, 80)
output = b""
status = None
closed = False


def pump(seconds):
    """Reads what comes within some time, and sees whether the command has ended."""
    global output, status, closed
    ready, _, _ = select.select([] if closed else [master], [], [], seconds)
    if ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        closed = not data
        output += data
    elif closed:
        time.sleep(seconds)
    if status is None:
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = code


def until(condition, what):
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline or (status is not None and closed):
            raise SystemExit(json.dumps({"failed": what, "output": output.decode("utf8", "replace")}))
        pump(0.05)


def state():
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


seen = 0
for step, *arguments in request["steps"]:
    if step == "expect":
        wanted = arguments[0].encode()
        until(lambda: wanted in output[seen:], f"expect {arguments[0]}")
        seen = output.index(wanted, seen) + len(wanted)
    elif step == "send":
        os.write(master, arguments[0].encode())
    elif step == "resize":
        resize(*arguments)
    elif step == "stopped":
        until(lambda: state() == "T", "stopped")
    elif step == "continue":
        os.killpg(os.getpgid(pid), signal.SIGCONT)

until(lambda: status is not None, "end")
while not closed:
    before = len(output)
    pump(0.2)
    if len(output) == before:
        break
print(
    json.dumps(
        {
            "output": output.decode("utf8", "replace"),
            "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        }
    )
)
