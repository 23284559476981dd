-- look: what this node should have of a session of which it has heard that it has changed.
-- allow-oom: a node must know what it has
-- with: base top log session
local s = session(A.uid)
if s and s.http == '' and not has_line(s) and A.line ~= '' then
    -- This node was taken for dead, and the client's line has outlived that; nobody else has one to it.
    settle_at(s)
    s.line = A.line
    save(s, 'line')
    come_back(s)
else
    show_here(A.uid)
end
return result(ERR.NONE)
