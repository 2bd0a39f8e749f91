--[[
  Removes an entry that is of no use to its reader, unless another one has taken its place.

  Input
    KEYS[1]  entry

    ARGV[1]  what was seen: the fill stamp (8 bytes), or the SHA-1 of the bytes (40 hexadecimal digits)

  Output
    1  removed
    0  another entry is there, or none
]]
--- @include value_or_absent

local there = value_or_absent('GET', KEYS[1])
if type(there) ~= 'string' then
  return 0
end
local seen = ARGV[1]
if (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen) then
  return redis.call('DEL', KEYS[1])
end
return 0
