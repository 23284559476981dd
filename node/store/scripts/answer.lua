-- answer: a peer's OK or DECLINE to a relayed INVITE or REMOVE. Ignored if nothing was asked, or if it is
-- the copy of an earlier answer; but the original's client acts before it answers, and its answer may be late:
-- whatever it says to a REMOVE, it is in no room then, and one that has accepted is in a room: in that one, if
-- there is place for it, or it is told to leave again.
-- allow-oom: a peer must get out of its waiting
-- with: base step memory request top log session lists room wait ends
if repeated() then
    return result(ERR.IGNORED)
end
local s = speaker()
if not s or is_original(s) and is_outdated(s) then
    return result(ERR.IGNORED)
end
local has_accepted = A.accepted == '1'
if has_accepted then
    place(s)
end
if A.kind == 'REMOVE' and is_original(s) then
    take_out(s, 'removed')
elseif s.wait == A.kind then
    settle(s, has_accepted and ERR.NONE or ERR.PEER_DECLINED)
elseif A.kind == 'INVITE' and s.room == '' and ((s.missed or '') ~= '' or is_original(s)) then
    local r = has_accepted and room(s.missed or '')
    s.missed = ''
    save(s, 'missed')
    if r and not is_full(r) then
        steps(s, 'INVITE_USER_ROOM', 'INVITE_USER_ROOM_SUC', 'TO_TALK')
        enter(s, r, 'invited')
    elseif has_accepted then
        tell_out(s, r and r.id or '', 1)
    end
end
return done(ERR.IGNORED)
