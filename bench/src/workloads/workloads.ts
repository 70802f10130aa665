import type { Bench } from '../peer.ts'
import { backlog } from './backlog.ts'
import { chain } from './chain.ts'
import { chord } from './chord.ts'
import { held } from './held.ts'
import { history } from './history.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { recovery } from './recovery.ts'
import { throughput } from './throughput.ts'
import { waiting } from './waiting.ts'
import type { Workload } from './workload.ts'

export const workloads: Readonly<Record<Bench, Workload>> = {
  throughput,
  latency,
  chord,
  chain,
  recovery,
  backlog,
  history,
  held,
  idle,
  waiting,
}
