/** The latest so many of times that come in any order; a heap with the earliest of them on top. */
export class LatestTimes {
  readonly #count: number;
  readonly #heap: number[] = [];
  /** Those of the same time as the earliest that had no room. */
  #tied = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get isFull(): boolean {
    return this.#heap.length >= this.#count;
  }

  get earliest(): number {
    return this.#heap[0] ?? Infinity;
  }

  get tied(): number {
    return this.#tied;
  }

  add(time: number): void {
    if (!this.isFull) return this.#insert(time);
    if (time === this.earliest) this.#tied++;
    if (time <= this.earliest) return;
    const [before] = this.#heap;
    this.#heap[0] = time;
    this.#sink();
    this.#tied = this.#heap[0] === before ? this.#tied + 1 : 0;
  }

  #insert(time: number): void {
    let at = this.#heap.push(time) - 1;
    for (let above = (at - 1) >> 1; at > 0 && this.#heap[above]! > time; above = (at - 1) >> 1) {
      this.#heap[at] = this.#heap[above]!;
      at = above;
    }
    this.#heap[at] = time;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && heap[left]! < heap[least]!) least = left;
      if (right < heap.length && heap[right]! < heap[least]!) least = right;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}
