-- answer: a peer's OK or DECLINE to a relayed INVITE or REMOVE. Ignored if nothing was asked, or if it is
-- the copy of an earlier answer. One exception: the original's client enters the room as soon as it is
-- invited, so one who accepts after the deadline is told to leave again, or it would sit in a room that
-- does not have it.
-- with: base step memory request top session log lists room wait
if repeated() then
    return result(ERR.IGNORED)
end
local s = speaker()
if not s then
    return result(ERR.IGNORED)
end
if s.wait == A.kind then
    settle(s, A.accepted == '1' and ERR.NONE or ERR.PEER_DECLINED)
elseif A.kind == 'INVITE' and A.accepted == '1' and s.missed == '1' and s.room == '' then
    s.missed = ''
    save(s, 'missed')
    effect('relay', 'REMOVE', s.uid, reach(s), 1, '', s.name)
end
return done(ERR.IGNORED)
