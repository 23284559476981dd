-- give_up: ends the sessions (`uids`, 8 characters each, back to back) whose HTTP port has been dead for
-- http.push_give_up_s, as by expiry: they cannot be told what is said any more. One that has another home by now, or
-- another way of being told, stays. Extra: how many were ended.
-- allow-oom: who leaves makes room
-- with: base step memory request top log session lists room wait ends
local count = 0
for i = 1, #A.uids, 8 do
    local s = session(A.uids:sub(i, i + 7))
    if s and s.home == A.node and s.http ~= '' and not has_line(s) then
        break_off(s, 'session_expired')
        count = count + 1
    end
end
return result(ERR.NONE, count)
