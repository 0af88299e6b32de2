#!/bin/sh
# Prints 1,000 numbered lines a second, in bursts of 20; at SIGTERM how many there were.
origin=$UPKEEP_SERVICE.$UPKEEP_INSTANCE
count=0
is_over=
trap 'is_over=1' TERM
while [ -z "$is_over" ]; do
  end=$((count + 20))
  while [ "$count" -lt "$end" ]; do
    echo "$origin $count ...................................."
    count=$((count + 1))
  done
  sleep 0.02
done
echo "$origin done $count"
