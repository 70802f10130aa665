import type { InputIssue } from '../errors.ts'
import { InputInvalidError } from '../errors.ts'
import { parseInput } from '../task/validate.ts'
import type { AnyTask } from '../task/workflow.ts'
import type { Canvas } from './node.ts'
import { hasRef, literalOf, refOf, resolve } from './resolve.ts'
import { ITEMS_MAX } from './run.ts'

/** What is taken of a canvas that comes as JSON. */
export const CANVAS_LIMITS = {
  /** Nodes within nodes. */
  depth: 20,
  nodes: 1_000,
  /** Members of one group, or items of a list that is written out. */
  members: ITEMS_MAX,
  sizeBytes: 4_194_304,
  /** Lists and objects within others, in inputs. */
  nesting: 200,
} as const

type Path = readonly (string | number)[]
type Fields = { readonly [key: string]: unknown }

/** What a node may refer to, by the first word of a reference. */
type Scope = { readonly names: ReadonlySet<string>; readonly depth: number }

const KINDS = ['call', 'chain', 'group', 'chord', 'map', 'chunks', 'when'] as const
type Kind = (typeof KINDS)[number]

const WISHES = ['priority', 'delayMs', 'deadlineMs']
const FIELDS: Readonly<Record<Kind, readonly string[]>> = {
  call: ['input', ...WISHES],
  chain: [],
  group: ['onFailure'],
  chord: ['body', 'onFailure'],
  map: ['over', 'input', 'onFailure', 'concurrency', ...WISHES],
  chunks: ['over', 'size', 'onFailure', 'concurrency', ...WISHES],
  when: ['do', 'else'],
}
const CONDITIONS = ['equals', 'greater', 'less', 'not', 'all', 'any']
/** Words that lead to something without being anybody's id. */
const WORDS = ['previous', 'item', 'error']
const ID = /^[A-Za-z_][\w-]{0,62}$/

/**
 * Finds all that is wrong with a canvas that came as JSON, each at its place.
 * @param tasks those that may be named, by name
 */
export async function checkCanvas(
  value: unknown,
  tasks: ReadonlyMap<string, AnyTask>,
): Promise<{ readonly canvas: Canvas } | { readonly issues: readonly InputIssue[] }> {
  const check = new CanvasCheck(tasks)
  await check.document(value)
  return check.issues.length > 0 ? { issues: check.issues } : { canvas: value as Canvas } // sound: that is what was checked
}

class CanvasCheck {
  readonly issues: InputIssue[] = []
  readonly #tasks: ReadonlyMap<string, AnyTask>
  readonly #ids = new Set<string>()
  readonly #inputs: Promise<void>[] = []
  #nodes = 0

  constructor(tasks: ReadonlyMap<string, AnyTask>) {
    this.#tasks = tasks
  }

  async document(value: unknown): Promise<void> {
    if (!isObject(value)) return this.#say([], 'An object with a canvas is expected.')
    if (isNestedDeeper(value, CANVAS_LIMITS.nesting))
      return this.#say([], `It is nested deeper than ${CANVAS_LIMITS.nesting} levels.`)
    const sizeBytes = Buffer.byteLength(JSON.stringify(value) ?? '')
    if (sizeBytes > CANVAS_LIMITS.sizeBytes)
      return this.#say([], `It has ${sizeBytes} bytes of JSON; at most ${CANVAS_LIMITS.sizeBytes} are taken.`)
    this.#onlyFields(value, ['canvas', 'onFailure'], [])
    this.#node(value.canvas, ['canvas'], { names: new Set(), depth: 1 })
    if (value.onFailure !== undefined)
      this.#node(value.onFailure, ['onFailure'], { names: new Set(['error', 'previous']), depth: 1 })
    await Promise.all(this.#inputs)
  }

  /** @returns the ids that later nodes may refer to, its own among them */
  #node(value: unknown, path: Path, scope: Scope): ReadonlySet<string> {
    const none = new Set<string>()
    if (!isObject(value)) {
      this.#say(path, `A node is expected: an object with one of ${KINDS.join(', ')}.`)
      return none
    }
    const kinds = KINDS.filter((kind) => kind in value)
    const [kind] = kinds
    if (kind === undefined || kinds.length > 1) {
      this.#say(
        path,
        `A node has exactly one of ${KINDS.join(', ')}${kinds.length > 1 ? `, not ${kinds.join(' and ')}` : ''}.`,
      )
      return none
    }
    if (!this.#mayBeAdded(path, scope.depth)) return none
    this.#onlyFields(value, ['id', kind, ...FIELDS[kind]], path)
    this.#wishes(value, path)
    const inside = this.#inside(kind, value, path, { ...scope, depth: scope.depth + 1 })
    const id = this.#id(value.id, path)
    return id === undefined ? inside : new Set([...inside, id])
  }

  /** A canvas that is too large is said to be so once. */
  #mayBeAdded(path: Path, depth: number): boolean {
    this.#nodes++
    if (this.#nodes === CANVAS_LIMITS.nodes + 1) this.#say(path, `A canvas has at most ${CANVAS_LIMITS.nodes} nodes.`)
    if (depth > CANVAS_LIMITS.depth) this.#say(path, `Nodes stand in at most ${CANVAS_LIMITS.depth} others.`)
    return this.#nodes <= CANVAS_LIMITS.nodes && depth <= CANVAS_LIMITS.depth
  }

  #inside(kind: Kind, value: Fields, path: Path, scope: Scope): ReadonlySet<string> {
    switch (kind) {
      case 'call':
        this.#call(value, path, scope)
        return new Set()
      case 'chain':
        return this.#chain(value.chain, [...path, 'chain'], scope)
      case 'group':
        return this.#group(value, 'group', path, scope)
      case 'chord': {
        const ids = this.#group(value, 'chord', path, scope)
        return new Set([...ids, ...this.#node(value.body, [...path, 'body'], within(scope, [...ids, 'previous']))])
      }
      case 'map':
      case 'chunks':
        this.#spread(kind, value, path, scope)
        return new Set()
      case 'when': {
        this.#condition(value.when, [...path, 'when'], scope)
        // Nobody knows which way it goes, so what is inside of either is for the inside alone.
        this.#node(value.do, [...path, 'do'], scope)
        if (value.else !== undefined) this.#node(value.else, [...path, 'else'], scope)
        return new Set()
      }
    }
  }

  #chain(nodes: unknown, path: Path, scope: Scope): ReadonlySet<string> {
    const members = this.#list(nodes, path)
    if (members?.length === 0) this.#say(path, 'A chain has at least one node.')
    const ids = new Set<string>()
    for (const [at, node] of (members ?? []).entries()) {
      const before = at === 0 ? ids : [...ids, 'previous']
      for (const id of this.#node(node, [...path, at], within(scope, before))) ids.add(id)
    }
    return ids
  }

  /** Its members go on at once, so none may refer to another; and of those that may fail by themselves, nothing may. */
  #group(value: Fields, key: 'group' | 'chord', path: Path, scope: Scope): ReadonlySet<string> {
    this.#policy(value.onFailure, path)
    const ids = new Set<string>()
    for (const [at, node] of (this.#list(value[key], [...path, key]) ?? []).entries()) {
      for (const id of this.#node(node, [...path, key, at], scope)) ids.add(id)
    }
    return value.onFailure === 'collect' ? new Set() : ids
  }

  #call({ call, input }: Fields, path: Path, scope: Scope): void {
    const task = this.#task(call, [...path, 'call'])
    const at = [...path, 'input']
    if (input !== undefined) this.#value(input, at, scope)
    if (task === undefined || hasRef(input)) return
    if (input !== undefined) this.#literalInput(task, input, at)
    else if (!scope.names.has('previous')) this.#literalInput(task, null, path)
  }

  #spread(kind: 'map' | 'chunks', value: Fields, path: Path, scope: Scope): void {
    const { over, input, concurrency, size } = value
    const task = this.#task(value[kind], [...path, kind])
    this.#policy(value.onFailure, path)
    if (over === undefined) this.#say([...path, 'over'], 'A list, or a reference to one, is expected.')
    else this.#value(over, [...path, 'over'], scope)
    if (concurrency !== undefined) this.#whole(concurrency, [...path, 'concurrency'], 1)
    if (kind === 'chunks') this.#whole(size, [...path, 'size'], 1)
    if (input !== undefined) this.#value(input, [...path, 'input'], within(scope, ['item']))
    const items = refOf(over) === undefined && over !== undefined ? this.#list(over, [...path, 'over']) : undefined
    // Each item is read by the task's schema, where it is the whole input and stands there.
    if (kind !== 'map' || task === undefined || items === undefined || input !== undefined) return
    for (const [at, item] of items.entries()) {
      if (!hasRef(item)) this.#literalInput(task, item, [...path, 'over', at])
    }
  }

  #condition(value: unknown, path: Path, scope: Scope): void {
    const ref = refOf(value)
    const [word = '', ...more] = isObject(value) ? Object.keys(value) : []
    if (ref !== undefined) this.#ref(ref, path, scope)
    else if (isObject(value) && more.length === 0 && CONDITIONS.includes(word))
      this.#parts(word, value[word], [...path, word], scope)
    else if (typeof value !== 'boolean')
      this.#say(path, `A condition is expected: true, false, a $ref, or one of ${CONDITIONS.join(', ')}.`)
  }

  /** What stands under the word of a condition. */
  #parts(word: string, value: unknown, path: Path, scope: Scope): void {
    if (word === 'not') {
      this.#condition(value, path, scope)
      return
    }
    const parts = this.#list(value, path) ?? []
    const isCompared = word !== 'all' && word !== 'any'
    if (isCompared && parts.length !== 2) this.#say(path, 'Two values are compared.')
    for (const [at, part] of parts.entries()) {
      if (isCompared) this.#value(part, [...path, at], scope)
      else this.#condition(part, [...path, at], scope)
    }
  }

  /** Each reference in it leads to something that is there by then. */
  #value(value: unknown, path: Path, scope: Scope): void {
    const ref = refOf(value)
    if (ref !== undefined) this.#ref(ref, path, scope)
    if (ref !== undefined || literalOf(value) !== undefined) return
    if (Array.isArray(value)) for (const [at, one] of value.entries()) this.#value(one, [...path, at], scope)
    else if (isObject(value)) {
      if ('$ref' in value)
        this.#say(path, 'A reference is { "$ref": "id" } and nothing else. Wrap it in $literal if it is none.')
      for (const [key, one] of Object.entries(value)) this.#value(one, [...path, key], scope)
    }
  }

  #ref(ref: string, path: Path, { names }: Scope): void {
    const [name = ''] = ref.split('/', 1)
    if (names.has(name)) return
    const there = [...names].sort().join(', ') || 'none'
    if (WORDS.includes(name))
      this.#say([...path, '$ref'], `There is no ${name} here. What can be referred to: ${there}.`)
    else if (this.#ids.has(name))
      this.#say([...path, '$ref'], `The node ${name} may not have ended by then. What can be referred to: ${there}.`)
    else
      this.#say([...path, '$ref'], `No node before this one has the id ${JSON.stringify(name)}. There are: ${there}.`)
  }

  #literalInput(task: AnyTask, input: unknown, path: Path): void {
    const say = (error: unknown) => {
      if (!(error instanceof InputInvalidError)) throw error
      for (const issue of error.issues) this.#say([...path, ...issue.path], issue.message)
    }
    try {
      const parsed = parseInput(task, resolve(input as never, new Map())) // sound: it came from JSON, and refers to nothing
      if (parsed instanceof Promise) this.#inputs.push(parsed.then(() => undefined, say))
    } catch (error) {
      say(error)
    }
  }

  #task(name: unknown, path: Path): AnyTask | undefined {
    const task = typeof name === 'string' ? this.#tasks.get(name) : undefined
    if (task === undefined) this.#say(path, `There is no process ${JSON.stringify(name)} that a canvas may call.`)
    return task
  }

  #id(id: unknown, path: Path): string | undefined {
    if (id === undefined) return undefined
    const at = [...path, 'id']
    if (typeof id !== 'string' || !ID.test(id) || WORDS.includes(id)) {
      this.#say(
        at,
        `An id has 1 to 63 letters, digits, "_" and "-", a letter first, and is none of ${WORDS.join(', ')}.`,
      )
      return undefined
    }
    if (this.#ids.has(id)) this.#say(at, `Another node has the id ${id}.`)
    this.#ids.add(id)
    return id
  }

  #policy(policy: unknown, path: Path): void {
    if (policy !== undefined && policy !== 'fail' && policy !== 'collect')
      this.#say([...path, 'onFailure'], 'It is "fail" or "collect".')
  }

  #wishes({ priority, delayMs, deadlineMs }: Fields, path: Path): void {
    if (priority !== undefined) this.#whole(priority, [...path, 'priority'], -1_000_000, 1_000_000)
    if (delayMs !== undefined) this.#whole(delayMs, [...path, 'delayMs'], 0)
    if (deadlineMs !== undefined) this.#whole(deadlineMs, [...path, 'deadlineMs'], 1)
  }

  #whole(value: unknown, path: Path, min: number, max = 1e12): void {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
      this.#say(path, `A whole number from ${min} to ${max} is expected.`)
  }

  #list(value: unknown, path: Path): readonly unknown[] | undefined {
    if (!Array.isArray(value)) this.#say(path, 'A list is expected.')
    else if (value.length > CANVAS_LIMITS.members)
      this.#say(path, `It has ${value.length} members; at most ${CANVAS_LIMITS.members} are taken.`)
    else return value
    return undefined
  }

  #onlyFields(value: Fields, known: readonly string[], path: Path): void {
    for (const key of Object.keys(value)) {
      if (!known.includes(key))
        this.#say([...path, key], `There is no such field here. There are: ${known.join(', ')}.`)
    }
  }

  #say(path: Path, message: string): void {
    this.issues.push({ path, message })
  }
}

/** Without recursion, which is what it guards. */
function isNestedDeeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}

function within(scope: Scope, names: Iterable<string>): Scope {
  return { ...scope, names: new Set([...scope.names, ...names]) }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
