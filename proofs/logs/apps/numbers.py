# Prints 1,000 numbered lines a second; at SIGTERM how many there were.
import os, signal, time

origin = os.environ['UPKEEP_SERVICE'] + '.' + os.environ['UPKEEP_INSTANCE']
is_over = False


def end(*_):
    global is_over
    is_over = True


signal.signal(signal.SIGTERM, end)
started_at = time.monotonic()
count = 0
while not is_over:
    due = (time.monotonic() - started_at) * 1000
    while count < due:
        print(origin, count, '.' * ((count + 1) % 60), flush=True)
        count += 1
    time.sleep(0.005)
print(origin, 'done', count)
