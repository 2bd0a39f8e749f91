--[[
  What the next link of a chain is to be, for chain() to add.

  Arguments
    q  chain head

  Returns a table:
    n          its number
    previous   the tip before it; '' where no chain is there
    begins     whether no chain is there
    follows    the number of what is known to follow all links so far
]]
--- @include head_number
local function next_link(q)
  local last = head_number(q)
  if last then
    return { n = last + 1, previous = redis.call('HGET', q, 'tip') or '', begins = false, follows = last }
  end
  local time = redis.call('TIME')
  local n = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return { n = n, previous = '', begins = true, follows = n }
end
