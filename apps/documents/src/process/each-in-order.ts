/** Runs `fn` for each item, at most so many at once. */
export async function eachInOrder<Item>(
  items: readonly Item[],
  atOnce: number,
  fn: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const runNext = async () => {
    for (const item of left) await fn(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runNext))
}
