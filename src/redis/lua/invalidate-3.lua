--[[
  Makes a key gone everywhere: its entry, and the lease of whoever loads it, so that a load that runs cannot store.

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

local link = next_link(KEYS[3])
-- First of all writes: a script whose first write is a DEL is not refused when memory is full.
redis.call('DEL', KEYS[1], KEYS[2])
return chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
