/** How a model does, since it was loaded here. Latencies are of the newest requests. */
export type FiguresNow = {
  readonly requests: number
  readonly rows: number
  readonly answered: number
  /** 503 for a full queue. */
  readonly refused: number
  /** Told so at their deadline, or before it where it could not be held. */
  readonly tooLate: number
  readonly failed: number
  readonly queuedRows: number
  readonly queuedRowsMost: number
  readonly batches: number
  readonly batchRowsMean: number | null
  /** How many runs had so many rows. */
  readonly batchSizes: { readonly [rows: string]: number }
  /** Queueing and running, without the network. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null
  readonly runMs: { readonly p50: number; readonly p99: number } | null
}

/** Of the newest so many, percentiles are given. */
const SAMPLE_SIZE = 2_048

/** Counts what a model's requests came to. */
export class Figures {
  #requests = 0
  #rows = 0
  #answered = 0
  #refused = 0
  #tooLate = 0
  #failed = 0
  #queuedRows = 0
  #queuedRowsMost = 0
  #batches = 0
  #batchRows = 0
  readonly #batchSizes = new Map<number, number>()
  readonly #latencies = new Newest(SAMPLE_SIZE)
  readonly #runs = new Newest(SAMPLE_SIZE)

  asked(rows: number): void {
    this.#requests++
    this.#rows += rows
  }

  refused(): void {
    this.#refused++
  }

  late(): void {
    this.#tooLate++
  }

  failed(requests: number): void {
    this.#failed += requests
  }

  queued(rows: number): void {
    this.#queuedRows = rows
    this.#queuedRowsMost = Math.max(this.#queuedRowsMost, rows)
  }

  ran(rows: number, runMs: number): void {
    this.#batches++
    this.#batchRows += rows
    this.#batchSizes.set(rows, (this.#batchSizes.get(rows) ?? 0) + 1)
    this.#runs.add(runMs)
  }

  answered(latencyMs: number): void {
    this.#answered++
    this.#latencies.add(latencyMs)
  }

  now(): FiguresNow {
    const latencies = this.#latencies.sorted()
    const runs = this.#runs.sorted()
    return {
      requests: this.#requests,
      rows: this.#rows,
      answered: this.#answered,
      refused: this.#refused,
      tooLate: this.#tooLate,
      failed: this.#failed,
      queuedRows: this.#queuedRows,
      queuedRowsMost: this.#queuedRowsMost,
      batches: this.#batches,
      batchRowsMean: this.#batches === 0 ? null : this.#batchRows / this.#batches,
      batchSizes: Object.fromEntries([...this.#batchSizes].sort(([a], [b]) => a - b)),
      latencyMs:
        latencies.length === 0
          ? null
          : {
              p50: share(latencies, 0.5),
              p95: share(latencies, 0.95),
              p99: share(latencies, 0.99),
              max: share(latencies, 1),
            },
      runMs: runs.length === 0 ? null : { p50: share(runs, 0.5), p99: share(runs, 0.99) },
    }
  }
}

/** The newest so many numbers. */
class Newest {
  readonly #values: Float64Array
  #count = 0

  constructor(size: number) {
    this.#values = new Float64Array(size)
  }

  add(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value
  }

  sorted(): Float64Array {
    return this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort()
  }
}

/** The nearest-rank percentile of sorted numbers, to a thousandth. */
function share(sorted: Float64Array, part: number): number {
  const at = Math.max(0, Math.ceil(sorted.length * part) - 1)
  return Math.round((sorted[at] ?? 0) * 1_000) / 1_000
}
