-- refresh: REFRESH. The lists, whole, to the one who asks.
-- with: base request top session lists
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
reply_here()
give(s, 'users', 0)
give(s, 'rooms', 0)
if s.room ~= '' then
    give(s, 'members', 0)
end
return done(ERR.NONE)
