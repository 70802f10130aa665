const text = { type: 'string' } as const
const node = { $ref: '#/definitions/node' } as const
const value = { $ref: '#/definitions/value' } as const
const nodes = { type: 'array', items: node } as const
const named = { id: { ...text, description: 'By this the nodes that come later refer to its result.' } }
const wishes = {
  priority: { type: 'integer' },
  delayMs: { type: 'integer', minimum: 0 },
  deadlineMs: { type: 'integer', minimum: 1 },
}
const onFailure = { type: 'string', enum: ['fail', 'collect'], default: 'fail' } as const
const spread = { over: value, onFailure, concurrency: { type: 'integer', minimum: 1 }, ...named, ...wishes }

function object(required: readonly string[], properties: object, description: string): object {
  return { type: 'object', description, required, properties, additionalProperties: false }
}

/** The language of a canvas, for people and for what generates clients. The check in `check.ts` knows more: names, scopes, inputs. */
export const CANVAS_SCHEMA: Record<string, unknown> = {
  type: 'object',
  required: ['canvas'],
  additionalProperties: false,
  properties: {
    canvas: { ...node, title: 'Canvas' },
    onFailure: {
      ...node,
      title: 'On failure',
      description: 'Run once when the canvas fails; { "$ref": "error" } is why.',
    },
  },
  definitions: {
    node: {
      oneOf: [
        object(['call'], { call: text, input: value, ...named, ...wishes }, 'One job of a process.'),
        object(['chain'], { chain: { ...nodes, minItems: 1 }, ...named }, 'One after the other.'),
        object(['group'], { group: nodes, onFailure, ...named }, 'All at once; gives the list of results.'),
        object(
          ['chord', 'body'],
          { chord: nodes, body: node, onFailure, ...named },
          'A group, and one with its results.',
        ),
        object(['map', 'over'], { map: text, input: value, ...spread }, 'A job for each item of a list.'),
        object(
          ['chunks', 'over', 'size'],
          { chunks: text, size: { type: 'integer', minimum: 1 }, ...spread },
          'A job for every so many items, which is given the list of them.',
        ),
        object(
          ['when', 'do'],
          { when: { $ref: '#/definitions/condition' }, do: node, else: node, ...named },
          'One of two ways.',
        ),
      ],
    },
    value: {
      description: 'Any JSON; { "$ref": "id/path" } stands for an earlier result, { "$literal": … } for what is in it.',
    },
    condition: {
      description: 'true, false, a $ref, or an object with one of equals, greater, less, not, all, any.',
      oneOf: [{ type: 'boolean' }, { type: 'object' }],
    },
  },
}
