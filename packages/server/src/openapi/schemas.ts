import { CANVAS_SCHEMA } from '@headrace/engine'

const text = { type: 'string' } as const
const instant = { type: 'string', format: 'date-time' } as const
const anything = {} as const
const links = { type: 'array', items: { $ref: '#/components/schemas/link' } } as const

function object(required: readonly string[], properties: Readonly<Record<string, object>>): object {
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties }
}

function list(of: string): object {
  return { type: 'array', items: { $ref: `#/components/schemas/${of}` } }
}

const summary = {
  id: text,
  version: text,
  title: text,
  description: text,
  keywords: { type: 'array', items: text },
  jobControlOptions: { type: 'array', items: { type: 'string', enum: ['sync-execute', 'async-execute', 'dismiss'] } },
  outputTransmission: { type: 'array', items: { type: 'string', enum: ['value', 'reference'] } },
  links,
}

/** The bodies of OGC API - Processes 1.0 and of problems, in the words of OpenAPI 3.0. */
export const SCHEMAS: Readonly<Record<string, object>> = {
  ...canvasSchemas(),
  link: object(['href'], { href: text, rel: text, type: text, title: text }),
  landingPage: object(['links'], { title: text, description: text, links }),
  confClasses: object(['conformsTo'], { conformsTo: { type: 'array', items: text } }),
  processSummary: object(['id', 'version'], summary),
  processList: object(['processes', 'links'], { processes: list('processSummary'), links }),
  process: object(['id', 'version'], {
    ...summary,
    inputs: { type: 'object', additionalProperties: { $ref: '#/components/schemas/input' } },
    outputs: { type: 'object', additionalProperties: { $ref: '#/components/schemas/output' } },
  }),
  input: object(['schema'], {
    title: text,
    description: text,
    schema: anything,
    minOccurs: { type: 'integer' },
    maxOccurs: { oneOf: [{ type: 'integer' }, { type: 'string', enum: ['unbounded'] }] },
  }),
  output: object(['schema'], { title: text, description: text, schema: anything }),
  execute: object([], {
    inputs: { type: 'object', additionalProperties: anything },
    outputs: {
      type: 'object',
      additionalProperties: object([], {
        transmissionMode: { type: 'string', enum: ['value'] },
        format: { type: 'object' },
      }),
    },
    response: { type: 'string', enum: ['raw', 'document'] },
    priority: { type: 'integer' },
    tags: { type: 'array', items: text },
    dueAt: instant,
    deadlineMs: { type: 'integer' },
    deployment: text,
  }),
  results: { type: 'object', additionalProperties: anything },
  statusInfo: object(['jobID', 'status', 'type'], {
    jobID: text,
    processID: text,
    type: { type: 'string', enum: ['process'] },
    status: { type: 'string', enum: ['accepted', 'running', 'successful', 'failed', 'dismissed'] },
    message: text,
    created: instant,
    started: instant,
    finished: instant,
    updated: instant,
    progress: { type: 'integer', minimum: 0, maximum: 100 },
    links,
  }),
  jobList: object(['jobs', 'links'], { jobs: list('statusInfo'), links }),
  exception: object(['type'], {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    instance: text,
    code: text,
    errors: { type: 'array', items: object(['pointer', 'detail'], { pointer: text, detail: text }) },
  }),
}

/** The inputs of the process `headrace.canvas`; its definitions become schemas of their own, for a reference to lead to. */
function canvasSchemas(): Readonly<Record<string, object>> {
  const moved = JSON.stringify(CANVAS_SCHEMA).replaceAll(
    /"#\/definitions\/(\w)(\w*)"/g,
    (_, first: string, rest: string) => `"#/components/schemas/canvas${first.toUpperCase()}${rest}"`,
  )
  const { definitions, ...canvas } = JSON.parse(moved) as { definitions: Record<string, object> } // sound: what CANVAS_SCHEMA is
  const named = Object.entries(definitions).map(([name, schema]) => [
    `canvas${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    schema,
  ])
  return { canvas, ...Object.fromEntries(named) }
}
