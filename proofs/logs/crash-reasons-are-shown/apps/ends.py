# Ends as END says. What an error is at stands behind it.
import os, signal, sys, traceback


def fail():
    raise ValueError('no | good')  # at raise


def caught():
    try:
        fail()
    except ValueError:
        traceback.print_exc()


def chained():
    try:
        fail()
    except ValueError as error:
        raise RuntimeError('because of it') from error  # at chained


ends = {
    'raise': fail,
    'chained': chained,
    'missing': lambda: __import__('there_is_no_such_module'),
    'exit-0': lambda: (caught(), sys.exit(0)),
    'kill': lambda: (caught(), sys.stderr.flush(), os.kill(os.getpid(), signal.SIGKILL)),
    'silent': lambda: sys.exit(3),
}
print('begins')
ends[os.environ['END']]()
