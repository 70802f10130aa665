/** How far something is; `label` names it, for several stand side by side. */
export function Bar(props: {
  readonly label: string
  readonly fraction: number
  readonly state: 'running' | 'succeeded' | 'failed'
}) {
  const percent = Math.floor(props.fraction * 100)
  return (
    <span className="progress" data-state={props.state}>
      <span
        className="progress-track"
        role="progressbar"
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <span className="progress-fill" style={{ width: `${percent}%` }} />
      </span>
      <span className="progress-percent">{percent}%</span>
    </span>
  )
}
