import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { NodeBinary } from './node-binary.ts'

/** A program that runs in a process of its own and does what it is asked. */
export interface Program {
  ask<Answer>(question: string, ...args: readonly unknown[]): Promise<Answer>
  stop(): Promise<void>
}

interface Question {
  readonly id: number
  readonly question: string
  readonly args: readonly unknown[]
}

type Reply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string }

/** Starts a compiled program and waits until it can be asked. It ends with this process at the latest. */
export async function startProgram(file: URL, args: readonly string[], node: NodeBinary): Promise<Program> {
  const child = fork(file, args, { execPath: node.path, execArgv: ['--expose-gc'], serialization: 'advanced' })
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`${file.pathname} ended with ${signal ?? `code ${code}`}`)))
    child.once('error', reject)
  })
  ended.catch((error: Error) => {
    for (const { reject } of waiting.values()) reject(error)
  })
  child.on('message', (reply: Reply) => {
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) asker?.reject(new Error(reply.error))
    else asker?.resolve(reply.answer)
  })
  let questions = 0
  const ask = <Answer>(question: string, ...more: readonly unknown[]) =>
    new Promise<Answer>((resolve, reject) => {
      const id = questions++
      waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      child.send({ id, question, args: more } satisfies Question, (error) => error && reject(error))
    })
  await ask('ready?')
  return {
    ask,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      const tooLate = setTimeout(() => child.kill('SIGKILL'), 5000)
      await exited
      clearTimeout(tooLate)
    },
  }
}

/** The other side: answers the questions of the process that started this one, and ends with it. */
export function answerQuestions(answers: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  process.on('message', async ({ id, question, args }: Question) => {
    try {
      const answer = question === 'ready?' ? true : await answers[question]?.(...(args as never[]))
      process.send?.({ id, answer } satisfies Reply)
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.once('disconnect', () => process.exit())
}
