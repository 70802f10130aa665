import type { Problem } from '@headrace/wire'

/** What the server said, and to which place of the input it said so. */
export function Refusal(props: {
  /** For the field that it describes. */
  readonly id?: string
  readonly message: string
  readonly problem?: Problem | undefined
}) {
  return (
    <div className="refusal" id={props.id} role="alert">
      {/* The detail of a problem with places repeats what stands at each of them. */}
      <p>{props.problem?.errors?.length ? `${props.problem.title}.` : props.message}</p>
      {props.problem?.errors ? (
        <ul>
          {props.problem.errors.map((error) => (
            <li key={`${error.pointer} ${error.detail}`}>
              <code>{error.pointer || '/'}</code> {error.detail}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}
