# What the scripts in Python need; sourced, from the root of the repository.

# A virtual environment at a place with what a list names, made again when the list changes; prints where its programs are.
tools() {
  local list=$1 place=$2
  if ! cmp -s "$list" "$place/installed.txt"; then
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
    cp "$list" "$place/installed.txt"
  fi
  echo "$PWD/$place/bin"
}
