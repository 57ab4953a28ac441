// How the page looks: two palettes, one layout. Colours of states and messages are variables, used by the drawings too.

export const pageStyle = `
:root { color-scheme: light;
  --page: #f7f7f5; --panel: #ffffff; --ink: #1c1c1a; --soft: #62625c; --line: #dddcd6; --hover: #eef3fc;
  --leader: #2b62c9; --leader-ink: #ffffff; --follower: #cbd8ee; --follower-ink: #23304a; --candidate: #e2a03a; --candidate-ink: #2a1d05;
  --owner: #178a5c; --paused: #8d8d86; --cut: #c06a12; --dead: #b9b8b1; --bad: #c62828; --bad-soft: #fdecea;
  --request: #1c1c1a; --provisional: #6b6b66; --success: #178a5c; --refusal: #b3541e; --passed: #7d5bc0; --commit: #2b62c9; }
:root[data-theme='dark'] { color-scheme: dark;
  --page: #161614; --panel: #1f1f1d; --ink: #ecebe5; --soft: #a3a29a; --line: #3a3a36; --hover: #26303f;
  --leader: #5d90f0; --leader-ink: #0d1420; --follower: #33415c; --follower-ink: #d5def0; --candidate: #d99a3b; --candidate-ink: #1d1403;
  --owner: #3fbf8a; --paused: #85857d; --cut: #e59445; --dead: #55554f; --bad: #ff7a72; --bad-soft: #3a2220;
  --request: #ecebe5; --provisional: #a3a29a; --success: #3fbf8a; --refusal: #eb9a5c; --passed: #b79cf0; --commit: #7aa5f5; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif; }
code, pre, .mono { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 12px; }
main { max-width: 1500px; margin: 0 auto; padding: 20px 24px 60px; }
header { display: flex; gap: 16px; align-items: flex-start; justify-content: space-between; }
h1 { font-size: 19px; margin: 0 0 4px; } h2 { font-size: 14px; margin: 0; }
p { margin: 0; } .soft { color: var(--soft); }
.verdict { margin: 12px 0 0; padding: 9px 12px; border-left: 3px solid var(--owner); background: var(--panel); overflow-wrap: anywhere; }
.verdict.bad { border-color: var(--bad); background: var(--bad-soft); } .verdict b { margin-right: 6px; }
section { margin-top: 18px; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
section > .bar { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 9px 12px; border-bottom: 1px solid var(--line); }
.bar .grow { flex: 1; }
button, select { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 4px; padding: 2px 9px; cursor: pointer; }
button:hover, select:hover { border-color: var(--soft); }
:focus-visible { outline: 2px solid var(--leader); outline-offset: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; color: var(--soft); font-size: 12px; }
.legend i { display: inline-block; width: 12px; height: 10px; margin-right: 5px; border-radius: 2px; vertical-align: -1px; }
#timeline { padding: 4px 12px 8px; touch-action: pan-y; cursor: grab; } #timeline.dragging { cursor: grabbing; }
svg { display: block; } svg text { fill: var(--ink); font-size: 12px; } svg text.soft { fill: var(--soft); } svg text.small { font-size: 11px; }
svg .mono { font-size: 11px; }
.split { display: grid; grid-template-columns: minmax(0, 1fr) minmax(300px, 400px); }
#ladder { overflow: auto; max-height: 78vh; position: relative; } #ladder .columns { position: sticky; top: 0; background: var(--panel); z-index: 1; border-bottom: 1px solid var(--line); }
#detail { border-left: 1px solid var(--line); padding: 12px; overflow: auto; max-height: 78vh; }
#detail pre { margin: 8px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; } #detail h3 { margin: 0; font-size: 14px; }
.event { cursor: pointer; } .event .hit { fill: transparent; stroke: transparent; stroke-width: 14; }
.event:hover .hit, .event:focus .hit, .event.chosen .hit { stroke: var(--hover); } .event:focus { outline: none; } .event:focus-visible .hit, .event.chosen .hit { stroke: var(--hover); }
.event:focus-visible text, .event.chosen text { font-weight: 600; }
.label { paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
.event:hover .label, .event.chosen .label, .event:focus .label { stroke: var(--hover); }
#scenario pre { margin: 0; padding: 12px; overflow: auto; }
@media (max-width: 900px) { .split { grid-template-columns: 1fr; } #detail { border-left: 0; border-top: 1px solid var(--line); max-height: 40vh; } main { padding: 12px; } }
@media print { #ladder, #detail { max-height: none; } }
`
