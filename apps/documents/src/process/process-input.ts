import { z } from 'zod'
import { FieldsWish } from '../field/fields-wish.ts'

const ARTIFACT = /^sha256:[0-9a-f]{64}$/
/** Of a document within a JSON body; larger ones are uploaded. */
const BASE64_LENGTH_MAX = 16_000_000
/** What is made beside the text, its words, tables and fields. */
export const OUTPUTS = ['images', 'pdf'] as const
export type Output = (typeof OUTPUTS)[number]

const DPI_MIN = 72
const DPI_MAX = 300

const Source = z
  .union([
    z.strictObject({ artifact: z.string().regex(ARTIFACT, 'an artifact id is sha256: and 64 hexadecimal digits') }),
    z.strictObject({ base64: z.base64().max(BASE64_LENGTH_MAX).min(1, 'the document is empty') }),
  ])
  .meta({
    title: 'Document',
    description: 'An artifact’s id, or the document itself as base64. What it is, is seen by its content.',
  })

export const ProcessInput = z.strictObject({
  document: Source,
  name: z
    .string()
    .min(1)
    .max(255)
    .default('document')
    .meta({ title: 'Name', description: 'For people; it decides nothing.' }),
  languages: z
    .array(z.string().regex(/^[a-z]{3}(_[a-z]+)?$/i, 'a language is named as Tesseract names it: eng, deu, chi_sim'))
    .min(1)
    .max(5)
    .default(['eng'])
    .meta({ title: 'Languages', description: 'Of what is recognised in pictures.' }),
  ocr: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .meta({ title: 'OCR', description: 'auto: only pages that do not say their text themselves.' }),
  outputs: z
    .array(z.enum(OUTPUTS))
    .max(OUTPUTS.length)
    .default([...OUTPUTS])
    .meta({
      title: 'Outputs',
      description:
        'What is made beside the text, words, tables and fields: images of the pages, and a searchable PDF, which holds such images and so brings them along. Less is done sooner.',
    }),
  imageDpi: z.int().min(DPI_MIN).max(DPI_MAX).default(150).meta({ title: 'Resolution of the page images' }),
  fields: FieldsWish.optional(),
})

export type ProcessInput = z.infer<typeof ProcessInput>
