-- prove: a REGISTER whose digest the node has found right for the challenge it names; `account`: by the key of
-- the name's account. It opens a session, or takes over the one that stands, with its room: the one of its
-- user id by that session's token or account; one of the original's kind, which has neither, by the digest
-- from its own IP. The one of its name by the account, if the client says that it wants that (`take_over`). What
-- is refused changes nothing, but its challenge is used up.
-- A client of the original's kind at whose address another one's session stands is told so (`rival` and its
-- `verdict`: what a node has found at that one's push connection), or that session ends.
-- with: base step memory request pending top log session account rival lists give room wait ends welcome
local again = repeated()
if again then
    return again
end

local pending = registration_begun()
if pending.challenge ~= A.challenge then
    return done(ERR.NOT_CHALLENGED)
end

local name_key = pending.name_key
local has_account = sealed_key(name_key) ~= ''
local may_have_rival = A.auth == 'md5' and A.http ~= '' and not has_account
local rival = may_have_rival and rival_of(pending)
while rival and A.rival == rival.uid and A.verdict == 'dead' do
    break_off(rival, 'session_replaced')
    rival = rival_of(pending)
end
if rival and A.rival ~= rival.uid then
    effect('rival', rival.uid, rival.home)
    return result(ERR.RIVAL)
end
registration_over()
if rival then
    return done(ERR.ADDRESS_IN_USE)
end
if has_account ~= (A.account == '1') then
    return done(ERR.NOT_CHALLENGED) -- the account has come or gone since the challenge
end

-- Why the session of this user id stays as it is; nothing when it is the client's.
local function refusal_to_take(s)
    local is_renamed = s.name_key ~= name_key
    local is_shown = A.token ~= '' and A.token == s.token
    local is_same_original = is_original(s) and A.auth == 'md5' and s.ip == A.ip and sealed_key(s.name_key) == ''
    if is_shown or is_same_original then
        return is_renamed and s.room ~= '' and ERR.IN_ROOM or nil
    end
    if has_account and not is_renamed then
        return nil
    end
    return is_original(s) and s.ip ~= A.ip and ERR.ADDRESS_MISMATCH or ERR.TOKEN_REQUIRED
end

local owner = redis.call('GET', key('un', name_key))
local other = owner and owner ~= A.uid and session(owner) -- of this name, under another user id
if owner and owner ~= A.uid and not (has_account and other and A.take_over == '1') then
    return done(ERR.NAME_TAKEN)
end
-- A client of the original's kind does not know that its session can go to another one: it is ended.
local is_ended = other and is_original(other)
local s = other and not is_ended and other or session(A.uid)
local refused
if not s then
    refused = not is_ended and redis.call('ZCARD', key('sessions')) >= tonumber(A.users_max) and ERR.USERS_FULL
elseif s ~= other then
    refused = refusal_to_take(s)
end
if refused then
    return done(refused)
end

if is_ended then
    break_off(other, 'session_replaced')
end
-- Who is in a room is known there by the name as it was written when it came in.
local name = s and s.room ~= '' and s.name or pending.name
local is_new, is_renamed = not s, s and s.name ~= name
if is_new then
    s = { uid = A.uid, state = 'IDLE', room = '', since = now, fresh = '1' }
    save(s, 'since', 'fresh')
    steps(s, 'REGISTER', 'REGISTER_SUC')
else
    used(s)
end
if is_renamed then
    decline_invitations(s)
    redis.call('DEL', key('un', s.name_key))
end
leave_port(s)
s.name, s.name_key, s.spelling = name, name_key, pending.spelling
s.udp, s.trusted = pending.udp, pending.trusted
s.http, s.src, s.ip, s.client_ip = A.http, A.src, A.ip, A.client_ip
s.auth, s.expires, s.timestamp = A.auth, A.expires, A.timestamp
-- A token begins with its session's user id, in the URL alphabet.
s.token = s.uid == A.uid and A.new_token or s.uid:gsub('%+', '-'):gsub('/', '_') .. A.new_token:sub(9)
local is_as_original = s.kind ~= 'modern' and A.auth == 'md5' and A.http ~= ''
s.kind = is_as_original and 'original' or 'modern'
s.attached = A.line ~= '' and '1' or s.attached or ''
s.try = '' -- of the token before
save(s, 'name', 'name_key', 'spelling', 'state', 'room', 'udp', 'trusted', 'http', 'src', 'ip', 'auth', 'token', 'expires',
    'timestamp', 'kind', 'attached', 'try', 'client_ip')
redis.call('SET', key('un', name_key), s.uid)
claim_port(s)
settle_at(s)
s.line = A.line
save(s, 'line')
come_back(s)
reply_here()
if is_new then
    give(s, s.http == '' and 'counts' or 'rooms')
else
    welcome(s)
end
if is_new or is_renamed then
    changed('users')
end
if is_new and not is_short('users') then
    effect('give', s.uid, 'users', 0, '', '') -- whatever the node has; the next one comes in its time
end
if is_new and has_line(s) then
    resume(s)
end
local told = about(s)
told[#told + 1], told[#told + 2] = 'node', A.node
event(is_new and 'session_registered' or 'session_rehomed', told)
return done(ERR.NONE, s.token)
