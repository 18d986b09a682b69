"""The arguments of every command."""

from __future__ import annotations

import argparse
import math

import combopt

EXIT_CODES = """\
exit codes: 0 a feasible or optimal answer - 1 none found within the limits - 2 usage - 3 bad input -
4 proved infeasible or unbounded - 5 solver failure - 6 check failed - 130/143 interrupted, best answer written"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="combopt",
        description="Any instance file in, a checked answer out: combinatorial and mixed-integer optimisation.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"combopt {combopt.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _solve(commands)
    _check(commands)
    _info(commands)
    _convert(commands)
    _generate(commands)
    _list(commands)
    _bench(commands)
    _report(commands)
    _compare(commands)
    _train(commands)
    _label(commands)
    doctor = commands.add_parser("doctor", help="what is installed, and what works together")
    doctor.add_argument("--warm-up", action="store_true", help="compile the own search loops now, not at first use")
    _json(doctor)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reading the instance")
    group.add_argument("--format", metavar="NAME", help="format of the file; recognised by itself as a rule")
    group.add_argument("--problem", metavar="KIND", help="what to make of a file that can be several kinds")
    group.add_argument(
        "--rounding", default="auto", metavar="RULE", help="distances of routing files: nint, exact, dimacs or auto"
    )
    group.add_argument(
        "--fleet", default="auto", metavar="K", help="vehicles of routing files: free, from-name, a number or auto"
    )
    group.add_argument("--min-prize", metavar="P", help="minimum prize of a pctsp file: a number or a share like 0.5")
    group.add_argument("--lenient", action="store_true", help="turn harmless defects of the file into warnings")


def _solve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    solve = commands.add_parser(
        "solve",
        help="solve instance files",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    solve.add_argument(
        "files", nargs="+", metavar="FILE", help="instance file, plain or .gz; FILE#k picks one of many"
    )
    solve.add_argument("--solver", default="auto", metavar="NAME", help="see combopt list solvers; default: auto")
    solve.add_argument("-o", "--output", metavar="SOLUTION", help="write the solution, in the format of the extension")
    solve.add_argument("--plot", metavar="PNG", help="draw the solution and the course of the search")
    solve.add_argument("--start", metavar="SOLUTION", help="solution file to start from; the answer is never worse")
    solve.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of the solver (combopt info SOLVER lists them); may be repeated",
    )
    _json(solve)
    limits = solve.add_argument_group("limits")
    limits.add_argument(
        "-t", "--time-limit", type=_seconds, default=60.0, metavar="SECONDS", help="default: 60; inf for none"
    )
    limits.add_argument("--gap", type=_number, default=0.0, metavar="G", help="stop at this relative gap, e.g. 0.01")
    limits.add_argument("--target", type=_number, metavar="OBJ", help="stop at this objective")
    limits.add_argument("--iterations", type=_whole, metavar="N", help="limit on the solver's own iterations")
    limits.add_argument("--nodes", type=_whole, metavar="N", help="limit on branch-and-bound nodes")
    limits.add_argument("--seed", type=_seed, default=0, metavar="N", help="default: 0")
    limits.add_argument("--threads", type=_whole, metavar="N", help="default: all cores")
    limits.add_argument("--memory", type=_whole, metavar="MB", help="memory of the solver's process")
    shown = solve.add_mutually_exclusive_group()
    shown.add_argument("-q", "--quiet", action="store_true", help="no progress")
    shown.add_argument("-v", "--verbose", action="store_true", help="every improvement and message")
    _reading(solve)


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="recompute a solution's objective and feasibility")
    check.add_argument("file", metavar="FILE")
    check.add_argument("solution", metavar="SOLUTION")
    check.add_argument("--solution-format", metavar="NAME", help="format of the solution file")
    _json(check)
    _reading(check)


def _info(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    info = commands.add_parser(
        "info", help="what an instance file holds and who could solve it, or a solver's options"
    )
    info.add_argument("file", metavar="FILE|SOLVER")
    _json(info)
    _reading(info)


def _convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    convert = commands.add_parser("convert", help="write an instance in another format")
    convert.add_argument("file", metavar="IN")
    convert.add_argument("output", metavar="OUT", help="the extension decides the format")
    convert.add_argument("--to", metavar="FORMAT", help="format to write, where the extension does not say")
    convert.add_argument("--view", choices=["mip"], help="write the instance rewritten as a mixed-integer program")
    convert.set_defaults(json=False)
    _reading(convert)


def _generate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    generate = commands.add_parser("generate", help="make random instances of the literature's distributions")
    generate.add_argument("kind", metavar="KIND", help="see combopt list problems")
    generate.add_argument("-n", type=_whole, metavar="N", help="size")
    generate.add_argument("--count", type=_whole, default=1, metavar="K", help="how many; default: 1")
    generate.add_argument("--seed", type=_seed, default=0, metavar="S", help="seed of the first; the k-th has S+k-1")
    generate.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. family=clustered")
    generate.add_argument("--to", metavar="FORMAT", help="format to write; default: the field's own, else JSON")
    generate.add_argument("-o", "--output", default=".", metavar="DIR", help="folder to write to; default: here")
    generate.set_defaults(json=False)


def _list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = commands.add_parser("list", help="solvers, problems, formats, weights")
    listing.add_argument("what", choices=["solvers", "problems", "formats", "auto", "weights"])
    _json(listing)


def _bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser(
        "bench",
        help="run solvers over a suite of instances, into one file",
        description="Run every solver on every instance with every seed. Runs that the file holds are not repeated: "
        "after an interruption of any kind, give the same command again.",
    )
    bench.add_argument(
        "suite", nargs="*", metavar="SUITE|DIR|FILE", help="a suite (.toml), or folders and instance files"
    )
    bench.add_argument("-o", "--output", metavar="RUNS.db", help="file of runs; default: the suite's name")
    bench.add_argument(
        "--solver", action="append", default=[], metavar="NAME",
        help="NAME, NAME[key=value,...] or external:COMMAND; may be repeated; default: those of the suite, or auto",
    )  # fmt: skip
    bench.add_argument("--solvers", action="append", default=[], metavar="A,B", help="several solvers at once")
    bench.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME.KEY=VALUE",
        help="option of a solver (combopt info SOLVER lists them); may be repeated",
    )
    bench.add_argument("--seeds", type=_whole, metavar="K", help="run the seeds 0 to K-1")
    bench.add_argument("--problem", metavar="KIND", help="what to make of files that can be several kinds")
    bench.add_argument("--root", metavar="DIR", help="folder of the instance files of a suite")
    _json(bench)
    limits = bench.add_argument_group("limits of every run", "default: those of the suite, or 60 seconds, 1 thread")
    limits.add_argument("-t", "--time-limit", type=_seconds, metavar="SECONDS")
    limits.add_argument("--gap", type=_number, metavar="G", help="stop at this relative gap")
    limits.add_argument("--threads", type=_whole, metavar="N", help="threads of a run")
    limits.add_argument("--memory", type=_whole, metavar="MB", help="memory of a solver's process")
    where = bench.add_argument_group("where it runs")
    where.add_argument("--jobs", type=_whole, metavar="J", help="runs side by side; default: cores / threads")
    where.add_argument("--ray", metavar="ADDRESS", help="on a Ray cluster: auto, its address, or local")
    where.add_argument("--machine", metavar="NAME", help="kind of machine, as reports call it; default: found out")
    where.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help="only the I-th of N parts, into a file of its own"
    )
    what = bench.add_argument_group("other than running all that is missing")
    what.add_argument("--retry-failed", action="store_true", help="run again what was lost, crashed or broke off")
    what.add_argument("--dry-run", action="store_true", help="only count the runs, and those that are done")
    what.add_argument("--merge", metavar="OUT.db", help="add the runs of the files given, such as shards, to this one")
    bench.add_argument("-q", "--quiet", action="store_true", help="no progress")


def _report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser(
        "report",
        help="tables and figures of a file of runs",
        description="Without a form, a table goes to stdout. FILE defaults to the file of runs with another suffix.",
    )
    report.add_argument("runs", nargs="+", metavar="RUNS.db", help="files that combopt bench wrote")
    for name, what in (("html", "a page with figures"), ("markdown", "a Markdown table"),
                       ("latex", "a LaTeX table"), ("csv", "every run in a row")):  # fmt: skip
        report.add_argument(f"--{name}", nargs="?", const="", metavar="FILE", help=f"write {what}")
    report.add_argument("--title", metavar="T", help="default: the names of the files")
    _json(report)


def _compare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = commands.add_parser(
        "compare",
        help="one file of runs, or solver, against another",
        description="Whether B is better than A, run by run on the same instances and seeds.",
    )
    for name in ("a", "b"):
        compare.add_argument(name, metavar=name.upper(), help="RUNS.db, or RUNS.db#LABEL for one of its solvers")
    compare.add_argument("--metric", choices=["gap", "objective", "seconds", "integral"], default="gap")
    compare.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the resampling; default: 0")
    _json(compare)


def _train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = commands.add_parser(
        "train",
        help="train a policy by imitation of good solutions, or a network for second stages",
        description="A run that was cut, or killed, goes on with the same command and --resume. Several GPUs: "
        "torchrun --nproc-per-node K -m combopt train ...",
    )
    train.add_argument("method", choices=["bq", "neur2ro"], metavar="METHOD", help="bq: policies that read the "
                       "rest of the instance afresh at every step; neur2ro: values of second stages")  # fmt: skip
    train.add_argument("--problem", default="tsp", metavar="KIND", help="default: tsp")
    train.add_argument("--size", type=_whole, metavar="N", help="nodes of the instances")
    train.add_argument("--labels", metavar="DIR", help="folder of solved instances; not needed for knapsacks, nor "
                       "for up to 20 nodes, or 10 customers: these are solved on the spot")  # fmt: skip
    train.add_argument("--instance", nargs="+", metavar="FILE", help="for neur2ro without --labels: instances of one "
                       "shape whose second stages are labelled, or package.module:function with --size")  # fmt: skip
    train.add_argument("--count", type=_whole, metavar="C", help="draws from these instances; default: 60")
    train.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for checkpoints and weights")
    train.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    _json(train)
    length = train.add_argument_group("length of the whole run", "default: 2 minutes")
    either = length.add_mutually_exclusive_group()
    either.add_argument("--minutes", type=_seconds, metavar="M", help="minutes of training, in however many pieces")
    either.add_argument("--steps", type=_whole, metavar="K", help="steps of the optimiser; repeatable to the last bit")
    length.add_argument("--stop-after", type=_seconds, metavar="M", help="end this piece of it after M minutes")
    how = train.add_argument_group("how it is trained")
    how.add_argument("--begin", metavar="CARD", help="weights to begin with, of any problem; same network")
    how.add_argument("--network", metavar="NAME", help="full, small or tiny; default: full on a GPU, else tiny; for "
                     "neur2ro joint, the default, or published, and flat for robust")  # fmt: skip
    how.add_argument("--device", default="auto", metavar="NAME", help="cpu, cuda or auto, the default")
    how.add_argument("--precision", metavar="P", help="float32 or bfloat16; default: bfloat16 on a GPU")
    how.add_argument("--tokens", type=_whole, metavar="N", help="tokens in a step; default: 2048, 131072 on a GPU")
    how.add_argument("--rate", type=_seconds, metavar="R", help="largest step size; default: 0.001")
    how.add_argument(
        "--view", type=int, metavar="K", help="nodes that the network sees, the nearest ones; default: all"
    )
    how.add_argument("--seed", type=_seed, default=0, metavar="N", help="default: 0")
    how.add_argument("--threads", type=_whole, metavar="N", help="threads of torch on a CPU")
    how.add_argument("--eager", action="store_true", help="do not compile the network on a GPU")
    often = train.add_argument_group("what is kept and told")
    often.add_argument("--save-every", type=_seconds, default=120.0, metavar="S", help="seconds; default: 120")
    often.add_argument("--judge-every", type=_seconds, default=300.0, metavar="S",
                       help="seconds between validations; default: 300")  # fmt: skip
    often.add_argument(
        "--judged", type=_whole, metavar="N", help="instances of a validation; default: 100, 1000 on a GPU"
    )
    often.add_argument("--tensorboard", action="store_true", help="write event files of TensorBoard to the folder")
    often.add_argument("-q", "--quiet", action="store_true", help="no progress")


def _label(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    label = commands.add_parser(
        "label",
        help="solve random instances, for train to learn from",
        description="Instances come in chunks, a file each. Chunks that the folder holds are not made again: after an "
        "interruption of any kind, give the same command again.",
    )
    label.add_argument("kind", metavar="KIND", help="tsp, atsp, cvrp, op, robust_knapsack or robust")
    label.add_argument("--size", type=_whole, metavar="N", help="nodes of the instances, depots apart")
    label.add_argument("--instance", nargs="+", metavar="FILE", help="instances with a second stage, of one shape, or "
                       "package.module:function, which is called with a random generator and --size")  # fmt: skip
    label.add_argument("--count", type=_whole, required=True, metavar="C", help="instances to learn from, or draws "
                       "from those that are given")  # fmt: skip
    label.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write to")
    label.add_argument("--seed", type=_seed, default=0, metavar="S", help="which instances to learn from; default: 0")
    label.add_argument("--held-out", type=int, choices=range(11), default=1, metavar="K",
                       help="chunks to be judged on, 0 to 10, the same ones for every seed; default: 1")  # fmt: skip
    label.add_argument("--chunk", type=_whole, metavar="M", help="instances in a chunk; default: 1000, or 100 if an "
                       "instance takes longer than a tenth of a second")  # fmt: skip
    label.add_argument("--solver", metavar="NAME", help="default: fast_tsp for tsp and atsp, hgs for cvrp, "
                       "prize_search for op")  # fmt: skip
    label.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="option of the solver")
    label.add_argument("-t", "--time-limit", type=_seconds, metavar="SECONDS",
                       help="for each instance; default: 0.02 for tsp, 0.2 for op, 0.5 for atsp, else 1")  # fmt: skip
    label.add_argument("--iterations", type=_whole, metavar="K", help="limit on the iterations of the solver; without "
                       "-t the only one, so that the same labels come out on every machine")  # fmt: skip
    label.add_argument("--jobs", type=_whole, metavar="J", help="processes; default: the cores of this one")
    label.add_argument("-q", "--quiet", action="store_true", help="no progress")
    _json(label)


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not slash or not 1 <= int(number) <= int(count):
        raise argparse.ArgumentTypeError("must be I/N with I from 1 to N")
    return int(number), int(count)


def _number(text: str) -> float:
    value = float(text)
    if math.isnan(value):
        raise argparse.ArgumentTypeError("not a number")
    return value


def _seconds(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be positive")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("must be from 0 to 2147483647")
    return value
