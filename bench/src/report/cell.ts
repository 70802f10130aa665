// node cell.ts '{"system":"bullmq:redis","bench":"latency","settings":{…}}': measures one system once, in a process of its own,
// and prints what it measured as one line of JSON.
import type { Bench } from '../peer.ts'
import { measureOnce, systemKinds } from '../run.ts'
import type { Settings } from '../workloads/workload.ts'

type Asked = { readonly system: string; readonly bench: Bench; readonly settings: Settings }

const { system, bench, settings } = JSON.parse(process.argv[2] ?? '') as Asked
const kind = systemKinds.find(({ name }) => name === system)
if (kind === undefined) throw new Error(`There is no system ${system}.`)
const found = await kind.find()
if ('missing' in found) throw new Error(found.missing)
console.log(JSON.stringify(await measureOnce({ kind, open: found.open }, bench, settings)))
