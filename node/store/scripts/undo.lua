-- undo: a client of the original's kind was told that its request (`print`) could not be done, because Redis did
-- not answer in time, and it may have been done all the same. It is in the state that it was told: what took it
-- into a room is undone; what took it out is told by a REMOVE. Unless it has said otherwise since.
-- Of a modern client a REGISTER: the session that it has opened, whose token nobody knows, is ended.
-- allow-oom: what was told must become true
-- with: base step memory request top log session lists room wait ends
local stored = recall(reply_name(A.uid, A.print))
local code, extra = (stored or ''):match('^(%d+)|%d+|(.*)$')
local was_done = tonumber(code or '') == ERR.NONE
local s = was_done and session(A.uid)
if s and is_original(s) and s.placed_by == A.print then
    if s.room ~= '' then
        take_out(s, 'left')
    else
        tell_out(s, '', 2)
    end
    remember(A.uid, A.print, ERR.STORE_AWAY, 1, '')
elseif s and not is_original(s) and s.fresh and s.token == extra and not has_line(s) then
    break_off(s, 'session_undone')
    remember(A.uid, A.print, ERR.NOT_CHALLENGED, 1, '')
end
return result(ERR.NONE)
