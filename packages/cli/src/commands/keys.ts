import type { ApiKey } from '@headrace/server'
import type { Scope } from '@headrace/wire'
import { Command, InvalidArgumentError } from 'commander'
import { type Cli, examples, optionsOf, present, type StoreOptions, storeOption } from '../cli.ts'
import { KeyUnknownError } from '../errors.ts'
import { parseDurationOption } from '../inputs/options.ts'
import { openExistingStore } from '../open-store.ts'
import { ageText } from '../terminal/duration.ts'
import { type Column, table } from '../terminal/table.ts'

type CreateOptions = StoreOptions & {
  readonly name: string
  readonly owner: string
  readonly scope: readonly Scope[]
  readonly expires?: number
}

/** In full, so that a scope that is added to the wire must be added here. */
const SCOPES = Object.keys({
  submit: true,
  'read-own': true,
  'read-all': true,
  operate: true,
  admin: true,
} satisfies Record<Scope, true>) as readonly Scope[]

/** `headrace keys`: on the data folder itself, so that the first key needs no key. */
export function keysCommand(cli: Cli): Command {
  return new Command('keys')
    .description('make, list and revoke API keys, in the data folder itself')
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(revokeCommand(cli))
    .addHelpText('after', examples('headrace keys create --name notebook', 'headrace keys list'))
}

function createCommand(cli: Cli): Command {
  return new Command('create')
    .description('make a key, and print it this once')
    .addOption(storeOption())
    .requiredOption('--name <name>', 'what it is for')
    .option('--owner <owner>', 'whose jobs are submitted and seen with it', 'local')
    .option('--scope <scopes>', `what it may do: ${SCOPES.join(', ')}`, parseScopes, ['submit', 'read-own'])
    .option('--expires <duration>', 'how long it is valid, such as 30d; for ever unless given', parseDurationOption)
    .addHelpText(
      'after',
      examples(
        'headrace keys create --name notebook',
        'headrace keys create --name ci --owner ada --scope submit,read-own --expires 30d',
        'export HEADRACE_KEY=$(headrace keys create --name shell --scope admin)',
      ),
    )
    .action(async (_options, command: Command) => {
      const options = optionsOf<CreateOptions>(command)
      const { name, owner, scope: scopes, expires } = options
      const { createKey } = await loadServer()
      await using store = await openExistingStore(options.data, options.store)
      const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires).toISOString()
      const made = await createKey(store, { name, owner, scopes, ...(expiresAt && { expiresAt }) })
      present(cli, options, { ...made, name, owner, scopes, ...(expiresAt && { expiresAt }) }, () => made.key)
      if (!options.json)
        cli.terminal.note(`This is key ${made.id}, for ${owner}: ${scopes.join(', ')}. It is shown only now.`)
    })
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the keys; their secrets are kept nowhere')
    .addOption(storeOption())
    .addHelpText('after', examples('headrace keys list', 'headrace keys list --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf<StoreOptions>(command)
      await using store = await openExistingStore(options.data, options.store)
      const { listKeys } = await loadServer()
      const keys = await listKeys(store)
      const columns = columnsAt(Date.now())
      const empty = 'There is no key. Make one: headrace keys create --name notebook'
      present(cli, options, { keys }, () => (keys.length > 0 ? table(cli.terminal, columns, keys) : empty))
    })
}

function revokeCommand(cli: Cli): Command {
  return new Command('revoke')
    .description('make a key invalid, and every session that it opened')
    .addOption(storeOption())
    .argument('<id>', 'as "headrace keys list" shows it')
    .addHelpText('after', examples('headrace keys revoke 3f9a1c2b7d40'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf<StoreOptions>(command)
      await using store = await openExistingStore(options.data, options.store)
      const { revokeKey } = await loadServer()
      if (!(await revokeKey(store, id))) throw new KeyUnknownError(id)
      present(cli, options, { id, revoked: true }, () => `Key ${id} is revoked.`)
    })
}

/** With the whole of Fastify, which most commands do without. */
function loadServer() {
  return import('@headrace/server')
}

function columnsAt(now: number): readonly Column<ApiKey>[] {
  return [
    { title: 'KEY', text: (key) => key.id },
    { title: 'NAME', text: (key) => key.name, isFlexible: true },
    { title: 'OWNER', text: (key) => key.owner },
    { title: 'SCOPES', text: (key) => key.scopes.join(' '), isFlexible: true },
    { title: 'CREATED', text: (key) => ageText(key.createdAt, now) },
    { title: 'USED', text: ({ lastUsedAt }) => usedText(lastUsedAt, now) },
    { title: 'EXPIRES', text: ({ expiresAt }) => expiryText(expiresAt, now) },
  ]
}

/** The server notes uses to the hour. */
function usedText(lastUsedAt: string | undefined, now: number): string {
  if (lastUsedAt === undefined) return 'never'
  return now - Date.parse(lastUsedAt) < 3_600_000 ? 'this hour' : ageText(lastUsedAt, now)
}

function expiryText(expiresAt: string | undefined, now: number): string {
  if (expiresAt === undefined) return 'never'
  return Date.parse(expiresAt) <= now ? 'expired' : expiresAt.slice(0, 10)
}

function parseScopes(text: string): readonly Scope[] {
  const scopes = text.split(',').map((scope) => scope.trim())
  const wrong = scopes.find((scope) => !SCOPES.includes(scope as Scope)) // sound: includes() compares any text
  if (wrong === undefined) return scopes as Scope[] // sound: each was just checked
  throw new InvalidArgumentError(`"${wrong}" is no scope. The scopes are ${SCOPES.join(', ')}.`)
}
