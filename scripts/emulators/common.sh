# What the scripts for emulators share; sourced, from the root of the repository.
export SAM_CLI_TELEMETRY=0 PYTHONDONTWRITEBYTECODE=1 AWS_DEFAULT_REGION=us-east-1
emulators=scripts/emulators
place=target/emulators
mkdir -p "$place"
. scripts/tools.sh

# What runs beside the script, ended in the reverse order by its id when the script ends.
pids=()
end_all() {
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null && wait "${pids[i]}" 2>/dev/null || true
  done
}
trap end_all EXIT

# Starts a local stack on free ports, with the arguments of cargo dev, and waits until it is ready; `$stack` names its file.
stack=$place/stack.json
start_stack() {
  rm -f "$stack"
  cargo build --quiet --package local --bin dev
  target/debug/dev --port 0 --stack-file "$stack" "$@" </dev/null >"$place/stack.log" 2>&1 &
  pids+=($!)
  until [ -f "$stack" ]; do
    kill -0 "${pids[-1]}" 2>/dev/null || { cat "$place/stack.log" >&2; return 1; }
    sleep 0.5
  done
}

# What Lambda calls this machine's processor; SAM's and cargo-lambda's names for it follow from it.
case $(uname -m) in
  x86_64) architecture=x86_64 flag=--x86-64 ;;
  aarch64 | arm64) architecture=arm64 flag=--arm64 ;;
esac
# Where cargo-lambda has cargo build; beside it, it lays out target/lambda/<name>/bootstrap.
built=target/$(uname -m)-unknown-linux-gnu/release

# Every function as it is deployed, for this machine's processor: target/lambda/<name>/bootstrap.zip.
build_functions() {
  local bin functions
  bin=$(tools $emulators/requirements-cargo-lambda.txt $place/cargo-lambda)
  mapfile -t functions < <(ls functions)
  PATH="$bin:$PATH" cargo lambda build --quiet --release "$flag" --output-format zip "${functions[@]/#/--package=}"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
