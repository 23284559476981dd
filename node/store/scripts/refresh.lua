-- refresh: REFRESH. The lists, whole, to the one who asks.
-- with: base memory request top log session lists give
local again = repeated()
if again then
    return again
end
local s, refused = speaker()
if not s then
    return result(refused)
end
reply_here()
give_all(s, true)
return done(ERR.NONE)
