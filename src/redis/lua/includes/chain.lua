--[[
  Adds one link to the chain of a bucket and tells it to all processes.

  Every change of the shared truth is a link: it has a number that never goes back and a random tip. Whoever hears a
  link whose previous tip is not the last one heard knows that something was missed.

  Arguments
    q        chain head, a hash: n, tip, floor, and the number of the last invalidation per group of tags
    link     what next_link() told of it
    channel  where the notice goes
    tip      the new tip, a random nonce that the caller made
    body     the rest of the notice, from the operation on, as JSON text
    field    the field of q that notes this link's number, or nil

  Returns the number of the link, as text. Numbers of this size lose digits in tostring and cjson: '%.0f' only.
]]
--- @include publish
local function chain(q, link, channel, tip, body, field)
  local text = string.format('%.0f', link.n)
  if link.begins then
    -- Whatever stands there is no chain.
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', text)
  end
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  publish(channel, '[1,"' .. link.previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
