--[[
  Makes the entry of a key stale: it may still be served while a newer value is loaded.

  Input
    KEYS[1]  entry
    KEYS[2]  lease
    KEYS[3]  chain head

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice

  Output
    the number of the link, as text
]]
--- @include chain
--- @include next_link
--- @include value_or_absent

local head = value_or_absent('GETRANGE', KEYS[1], 0, 35)
local link = next_link(KEYS[3])
-- First of all writes: a script whose first write is a DEL is not refused when memory is full.
redis.call('DEL', KEYS[2])
if type(head) == 'string' and #head == 36 and string.sub(head, 1, 3) == 'tc\1' then
  -- Not the present instant: a reader that takes this server for younger than it is would go on finding the entry fresh.
  redis.call('SETRANGE', KEYS[1], 28, struct.pack('>d', 0))
end
return chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
