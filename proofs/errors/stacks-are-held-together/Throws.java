/** Throws exceptions in turn, with causes and suppressed ones, and prints them, a line of its own between two of them. */
public class Throws {
  static class OrderException extends RuntimeException {
    OrderException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  static class Connection implements AutoCloseable {
    public void close() {
      throw new IllegalArgumentException("not open");
    }
  }

  static void query(int id) {
    throw new IllegalStateException("pool closed for " + id);
  }

  static void order(int id) {
    try {
      query(id);
    } catch (IllegalStateException cause) {
      throw new OrderException("order " + id, cause);
    }
  }

  static void closing(int id) {
    try (Connection connection = new Connection()) {
      throw new UnsupportedOperationException("delete " + id + "\nsecond line");
    }
  }

  public static void main(String[] arguments) throws Exception {
    int count = Integer.parseInt(System.getenv("COUNT"));
    for (int id = 0; id < count; id++) {
      System.err.println("request " + id);
      try {
        if (id % 3 == 0) query(id);
        else if (id % 3 == 1) order(id);
        else closing(id);
      } catch (RuntimeException exception) {
        exception.printStackTrace();
      }
    }
    System.out.println("done");
    Thread.sleep(1_000_000_000);
  }
}
