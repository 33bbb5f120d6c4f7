#!/bin/sh
# Runs ffmpeg (or, with --ffprobe as the first argument, ffprobe) only as long as the process at the
# other end of this script's standard input lives: when that pipe reaches its end, because it was
# closed or because that process died (kill -9 included), the program is killed.
# The program's exit status is passed on. USR1 pauses the program, USR2 resumes it.

program=ffmpeg
if [ "$1" = --ffprobe ]; then
  program=ffprobe
  shift
fi

exec 3<&0
trap 'kill -STOP "$child" 2>/dev/null' USR1
trap 'kill -CONT "$child" 2>/dev/null' USR2

"$program" "$@" </dev/null 3<&- &
child=$!

(
  trap - USR1 USR2
  while read -r _; do :; done
  kill -9 "$child"
) <&3 3<&- >/dev/null 2>&1 &
watcher=$!
exec 3<&-

trap 'kill -9 "$child" 2>/dev/null' HUP INT TERM

wait "$child"
status=$?
# A trapped signal interrupts the wait before the program has exited.
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  status=$?
done

kill "$watcher" 2>/dev/null
exit "$status"
