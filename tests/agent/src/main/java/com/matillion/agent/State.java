package com.matillion.agent;

/** What the agent says of itself when it is asked; commands (Metrics) change it. */
final class State {
    /** In the order of the numbers of app_agent_status. */
    enum Status { NONE, RUNNING, PENDING_SHUTDOWN, SHUTTING_DOWN }

    volatile Status status = Status.RUNNING;
    volatile boolean connected = true;
    volatile int requests;
    private final Truth truth;
    private boolean hangs;

    State(Truth truth) {
        this.truth = truth;
    }

    long tasks() {
        return truth.get("tasks_started") - truth.get("tasks_completed") - truth.get("tasks_failed");
    }

    long sessions() {
        return truth.get("open_sessions");
    }

    /** What is asked waits in pass() while it hangs. */
    synchronized void hang(boolean on) {
        hangs = on;
        notifyAll();
    }

    synchronized void pass() {
        try {
            while (hangs) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** True: the word is a command, and done. */
    boolean command(String word) {
        switch (word) {
            case "drain" -> status = Status.PENDING_SHUTDOWN;
            case "shut" -> status = Status.SHUTTING_DOWN;
            case "run" -> status = Status.RUNNING;
            case "cut" -> connected = false;
            case "connect" -> connected = true;
            case "request" -> requests++;
            case "hang" -> hang(true);
            case "wake" -> hang(false);
            default -> {
                return false;
            }
        }
        return true;
    }
}
