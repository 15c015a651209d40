/** First in, first out, with a look at any position; constant cost at both ends. */

export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The item at a position; 0 is the next to leave. */
  at(index: number): Item | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    // Moving the rest to the front only once half is empty keeps the cost of leaving constant.
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Up to `most` items from the front, which stay where they are. */
  peek(most: number): Item[] {
    return this.#items.slice(this.#head, this.#head + most) as Item[];
  }
}
