# last-words.py LINES END HOW: prints LINES numbered lines, with flush=True where HOW is "flush", and ends in the same moment.
import ctypes, os, signal, sys

lines, end, how = sys.argv[1:]
name = os.environ['UPKEEP_INSTANCE']
dots = '.' * 79
for number in range(int(lines)):
    print(name, number, dots, flush=how == 'flush')
if end == 'exit':
    os._exit(0)
if end == 'kill':
    os.kill(os.getpid(), signal.SIGKILL)
ctypes.string_at(0)
