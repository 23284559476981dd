-- prove: a REGISTER whose digest the node has found right for the challenge it names. Opens the
-- session, or re-homes the one that stands and keeps its room.
-- with: base step memory request pending top session lists
local again = repeated()
if again then
    return again
end

local pending = registration_begun()
if pending.challenge ~= A.challenge then
    return done(ERR.NOT_CHALLENGED)
end

local owner = redis.call('GET', key('un', pending.name))
if owner and owner ~= A.uid then
    return done(ERR.NAME_TAKEN)
end

local s = session(A.uid)
local is_new = not s
if is_new and redis.call('ZCARD', key('sessions')) >= tonumber(A.users_max) then
    return done(ERR.USERS_FULL)
end
if not is_new and s.name ~= pending.name and s.state ~= 'REGISTER_OK' then
    return done(ERR.IN_ROOM)
end

registration_over()
if is_new then
    s = { uid = A.uid, state = 'IDLE', room = '', since = now }
    save(s, 'since')
    steps(s, 'REGISTER', 'REGISTER_SUC')
elseif s.name ~= pending.name then
    redis.call('DEL', key('un', s.name))
end
s.name, s.udp, s.trusted = pending.name, pending.udp, pending.trusted
s.http, s.src, s.ip = A.http, A.src, A.ip
s.auth, s.token, s.expires, s.timestamp = A.auth, A.new_token, A.expires, A.timestamp
save(s, 'name', 'state', 'room', 'udp', 'trusted', 'http', 'src', 'ip', 'auth', 'token', 'expires',
    'timestamp')
redis.call('SET', key('un', s.name), s.uid)
renew(s)
settle_at(s)
s.line = A.line
save(s, 'line')
reply_here()
give(s, s.http == '' and 'counts' or 'rooms', 0)
changed('users')
if has_line(s) then
    resume(s)
end
event(is_new and 'session_registered' or 'session_rehomed', { 'user', s.name, 'node', A.node })
return done(ERR.NONE, s.token)
