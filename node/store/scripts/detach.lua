-- detach: a session's line has ended, unless another one has taken its place: it is away. `back`: one that is
-- still there, which it had taken the place of; or nothing.
-- allow-oom: who is away must be known to be
-- with: base top log session
local s = session(A.uid)
if s and s.line == A.line and has_line(s) then
    s.line = A.back or ''
    save(s, 'line')
    if not has_line(s) then
        go_away(s)
    end
end
return result(ERR.NONE)
