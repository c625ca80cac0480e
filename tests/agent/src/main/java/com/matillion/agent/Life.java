package com.matillion.agent;

import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * An agent's life: tasks in a thread pool, and between their starts heartbeats,
 * requests, sessions and chatter.  What happens follows from the seed; only the
 * order of what tasks say depends on their threads.
 */
final class Life {
    private static final Logger RUNNER = LoggerFactory.getLogger("com.matillion.agent.task.TaskRunner");
    private static final Logger REQUESTS = LoggerFactory.getLogger("com.matillion.agent.web.RequestLog");
    private static final Logger HEART = LoggerFactory.getLogger("com.matillion.agent.Heartbeat");
    private static final Logger SESSIONS = LoggerFactory.getLogger("com.matillion.agent.session.SessionRegistry");
    private static final Logger SQL = LoggerFactory.getLogger("com.matillion.agent.sql.StatementExecutor");

    private static final List<String> PIPELINES = List.of("load_sales_orders", "sync_crm_contacts",
        "daily-finance-rollup", "Inventory Snapshot", "stage_web_events");

    /** Lines that mean nothing to a counter, though some look as if they did. */
    private static final List<String> CHATTER = List.of(
        "Statement took 41 ms: MERGE INTO SALES.ORDERS, 118 rows changed",
        "Retrying snowflake after a transient ERROR of the server, attempt 2 of 5",
        "Value \"TASK_COMPLETED\" in column STATUS of STAGING.EVENTS_RAW is kept as text",
        "Counter NOT_TASK_COMPLETED stands at 7 for scheduler",
        "Grüße aus Köln: 日本語 as column name \uD83D\uDE80, tab\there",
        "SELECT '" + "a rather long literal ".repeat(900) + "'");

    private final Say say;
    private final Truth truth;
    private final Random random;
    private final long seed;
    private final double rate;
    private final AtomicInteger threads = new AtomicInteger();

    Life(Say say, Truth truth, long seed, double rate) {
        this.say = say;
        this.truth = truth;
        this.seed = seed;
        this.random = new Random(seed);
        this.rate = rate;
    }

    void run(int tasks) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(4,
            work -> new Thread(work, "task-" + threads.incrementAndGet()));
        crash();
        for (int i = 0; i < tasks; i++) {
            int number = i;
            pool.execute(() -> task(number, new Random(seed * 1_000_003 + number)));
            between(i);
            if (rate > 0) {
                Thread.sleep((long) (1000 / rate));
            }
        }
        pool.shutdown();
        pool.awaitTermination(5, TimeUnit.MINUTES);
    }

    /** A thread dies of an exception nobody catches: the JVM says so on standard error. */
    private void crash() throws InterruptedException {
        Thread reaper = new Thread(() -> {
            throw new IllegalStateException("session pool is shut down");
        }, "session-reaper");
        reaper.start();
        reaper.join();
        truth.add("stderr_records", 1);
        truth.add("stderr_lines", 3);
    }

    private void between(int i) {
        if (i % 10 == 0) {
            truth.add("heartbeats", 1);
            if (i % 20 == 0) {
                say.event(HEART, Level.INFO, "HEARTBEAT", "beat", null, null, "sequence", i / 10);
            } else {
                say.info(HEART, "heartbeat sent", "sequence", i / 10);
            }
        }
        if (i % 3 == 0) {
            request();
        }
        if (i % 7 == 0) {
            truth.add("open_sessions", 1);
            say.info(SESSIONS, "Session opened", "user", "j.doe@example.com",
                "open_sessions", truth.get("open_sessions"));
        }
        say.info(SQL, CHATTER.get(i % 40 == 5 ? CHATTER.size() - 1 : random.nextInt(CHATTER.size() - 1)));
    }

    private void request() {
        double seconds = eighths(random, 64);
        truth.add("requests", 1);
        truth.add("request_duration", seconds);
        if (random.nextBoolean()) {
            say.event(REQUESTS, Level.INFO, "REQUEST_COMPLETED", "request done", null, null,
                "method", "GET", "path", "/v1/tasks", "status", 200, "duration", seconds);
        } else {
            say.info(REQUESTS, "request completed", "path", "/v1/sessions", "duration_ms",
                (long) (seconds * 1000));
        }
    }

    private void task(int number, Random chance) {
        String id = "t-%d-%05d".formatted(seed, number);
        String pipeline = PIPELINES.get(chance.nextInt(PIPELINES.size()));
        Object[] time = executionTime(chance);

        truth.add("tasks_started", 1);
        say.event(RUNNER, Level.INFO, "TASK_STARTED", "Task begins", null, null,
            "task_id", id, "pipeline", pipeline);
        say.info(SQL, "Fetched rows", "task_id", id, "rows", chance.nextInt(500_000));
        if (chance.nextInt(4) == 0) {
            fail(chance, Failures.ALL.get(chance.nextInt(Failures.ALL.size())),
                "task_id", id, "pipeline", pipeline, time[0], time[1]);
            truth.add("tasks_failed", 1);
            truth.add("failed", pipeline);
            return;
        }
        truth.add("tasks_completed", 1);
        truth.add("completed", pipeline);
        if (time[2] != null) {
            truth.add("execution_times", 1);
            truth.add("completed_execution_time", (Double) time[2]);
        } else {
            truth.add("bad_execution_times", 1);
        }
        say.event(RUNNER, Level.INFO, "TASK_COMPLETED", "Task is done", null, null,
            "task_id", id, "pipeline", pipeline, time[0], time[1], "rows", chance.nextInt(500_000));
    }

    /** The ways in which an agent says that a task failed. */
    private void fail(Random chance, java.util.concurrent.Callable<?> call, Object... fields) {
        Throwable thrown;
        try {
            throw new AssertionError(call.call());
        } catch (Throwable t) {
            thrown = t;
        }
        switch (chance.nextInt(5)) {
            case 0 -> say.event(RUNNER, Level.ERROR, "TASK_FAILED", "Task failed", null, thrown, fields);
            case 1 -> {
                say.event(RUNNER, Level.WARN, "TASK_FAILED", "Task failed", thrown.getClass().getName(), null, fields);
                say.event(RUNNER, Level.ERROR, null, "Task ended early", null, thrown);
            }
            case 2 -> say.event(RUNNER, Level.ERROR, "TASK_FAILED", "Task failed", "DataQualityError", thrown, fields);
            case 3 -> say.event(RUNNER, Level.WARN, "TASK_FAILED", "Task failed", null, null, fields);
            default -> say.event(RUNNER, Level.ERROR, "TASK_FAILED", "Task failed", null, null, fields);
        }
    }

    /** Key, value as it is written, seconds; null when it is none. */
    private static Object[] executionTime(Random chance) {
        double s = eighths(chance, 4800);
        return switch (chance.nextInt(12)) {
            case 0 -> new Object[] {"execution_time", s + "s", s};
            case 1 -> new Object[] {"execution_time", (long) (s * 1000) + "ms", s};
            case 2 -> new Object[] {"execution_time_ms", (long) (s * 1000), s};
            case 3 -> new Object[] {"execution_time", "PT" + s + "S", s};
            case 4 -> new Object[] {"execution_time", chance.nextBoolean() ? "NaN" : "-1", null};
            default -> new Object[] {"execution_time", s, s};
        };
    }

    /** A multiple of 0.125 between 0.125 and ${most} / 8. */
    private static double eighths(Random chance, int most) {
        return (1 + chance.nextInt(most)) / 8.0;
    }
}
